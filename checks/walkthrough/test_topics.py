"""Topics are made, described, altered.

**Claim** A topic has as many partitions as were asked for, each with a leader; partitions can be added and not taken
away; its settings are those that were given, and an altered one counts at once while the others stay.

**Why it matters** It is the first thing that everybody does with Kafka.

**Kafka says** documentation, "Quickstart", "Modifying topics", "Topic configs".

**Cannot see** replicas: there is one node.

**Rejects** tests/plants/response_with_wrong_error_code.py,
tests/unit/harness/judging/checkers/test_queue_checkers.py::test_a_checker_rejects_its_anomaly
"""

from __future__ import annotations

import pytest

from harness.clients.operator import Operator, refusal_of
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names

pytestmark = [pytest.mark.feature("CreateTopics"), pytest.mark.claim("M7")]
SEVEN_DAYS_MS = "604800000"


def test_a_topic_has_the_partitions_that_were_asked_for(operator: Operator, names: Names) -> None:
    """A topic that is made with three partitions has three, each with a leader."""
    topic = names.topic("hello-kafka")

    operator.create_topic(topic, partitions=3)

    assert topic in operator.topics(), f"{topic} was made, and is not listed"
    require(sorted(operator.leaders(topic)), [0, 1, 2], f"partitions of {topic}")


def test_partitions_are_added_and_never_taken_away(operator: Operator, names: Names) -> None:
    """The partitions of a topic can grow from three to ten, and not shrink again."""
    topic = names.topic("my-topic")
    operator.create_topic(topic, partitions=3)

    operator.add_partitions(topic, 10)

    require(sorted(operator.leaders(topic)), list(range(10)), f"partitions of {topic}")
    refused = refusal_of(lambda: operator.add_partitions(topic, 5))
    require(refused, "INVALID_PARTITIONS", "the answer to a wish for five")


def test_a_topic_is_made_once(operator: Operator, names: Names) -> None:
    """A second topic of the same name is refused, and the first stays as it is."""
    topic = names.topic("orders")
    operator.create_topic(topic, partitions=2)

    refused = refusal_of(lambda: operator.create_topic(topic, partitions=5))

    require(refused, "TOPIC_ALREADY_EXISTS", "the answer to the second wish")
    require(sorted(operator.leaders(topic)), [0, 1], f"partitions of {topic}")


def test_an_altered_setting_leaves_the_others_alone(operator: Operator, names: Names) -> None:
    """Retention is set to seven days and then a size limit is added; both count, and unsetting one leaves the other."""
    topic = names.topic("logs")
    operator.create_topic(topic)
    before = operator.topic_config(topic)

    operator.alter_topic(topic, {"retention.ms": SEVEN_DAYS_MS})
    operator.alter_topic(topic, {"retention.bytes": "10737418240"})

    changed = {"retention.ms": SEVEN_DAYS_MS, "retention.bytes": "10737418240"}
    require(operator.topic_config(topic), {**before, **changed}, f"the settings of {topic} after two were set")
    operator.alter_topic(topic, unset=["retention.bytes"])
    one_left = {**before, "retention.ms": SEVEN_DAYS_MS}
    require(operator.topic_config(topic), one_left, f"the settings of {topic} after one was given back")


def test_a_deleted_topic_is_gone_and_a_new_one_starts_at_nothing(operator: Operator, names: Names) -> None:
    """A deleted topic is listed no more; one of the same name starts anew."""
    topic = names.topic("old")
    operator.create_topic(topic, partitions=4)

    operator.delete_topic(topic)

    assert topic not in operator.topics(), f"{topic} was deleted, and is still listed"
    operator.create_topic(topic, partitions=1)
    require(sorted(operator.leaders(topic)), [0], f"partitions of the new {topic}")
