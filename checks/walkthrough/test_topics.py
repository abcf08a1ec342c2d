"""Topics are created, described and altered.

**Claim** A topic has the requested number of partitions, each with a leader. Partitions can be added, but not removed.
An altered setting is described with its new value at once, and the other settings are unchanged. A new topic with the
name of a deleted one is empty.

**Why it matters** It is the first thing that everybody does with Kafka.

**Kafka says** documentation, "Quickstart", "Modifying topics", "Topic configs".

**Cannot see** replicas: there is one node.

**Rejects** tests/plants/adds_no_partitions.py, tests/plants/ignores_altered_settings.py,
tests/plants/keeps_records_of_a_deleted_topic.py, tests/plants/leaves_a_partition_out.py,
tests/plants/response_with_wrong_error_code.py
"""

from __future__ import annotations

import pytest

from harness.clients.client import Library
from harness.clients.leader_connections import RawAdmin
from harness.clients.operators.operator import Operator, refusal_of
from harness.clients.transfer import Outgoing, produce
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.feature("CreateTopics"),
    pytest.mark.claim("M7"),
    pytest.mark.document("Kafka documentation, Quickstart", "https://kafka.apache.org/documentation/"),
    pytest.mark.document("Kafka documentation, Modifying topics", "https://kafka.apache.org/documentation/"),
    pytest.mark.document("Kafka documentation, Topic configs", "https://kafka.apache.org/documentation/"),
]
SEVEN_DAYS_MS = "604800000"


def led(operator: Operator, topic: str) -> list[int]:
    """The partitions of a topic that have a leader."""
    return sorted(partition for partition, leader in operator.leaders(topic).items() if leader >= 0)


def test_a_topic_has_the_partitions_that_were_asked_for(operator: Operator, names: Names) -> None:
    """A topic that is created with three partitions has three, each with a leader."""
    topic = names.topic("hello-kafka")

    operator.create_topic(topic, partitions=3)

    assert topic in operator.topics(), f"{topic} was made, and is not listed"
    require(led(operator, topic), [0, 1, 2], f"the partitions of {topic} with a leader")


def test_partitions_are_added_and_never_taken_away(operator: Operator, names: Names) -> None:
    """The partitions of a topic can grow from three to ten, and not shrink again."""
    topic = names.topic("my-topic")
    operator.create_topic(topic, partitions=3)

    operator.add_partitions(topic, 10)

    require(led(operator, topic), list(range(10)), f"the partitions of {topic} with a leader")
    refused = refusal_of(lambda: operator.add_partitions(topic, 5))
    require(refused, "INVALID_PARTITIONS", "the answer to a wish for five")
    require(led(operator, topic), list(range(10)), f"the partitions of {topic} after that wish")


def test_a_topic_is_made_once(operator: Operator, names: Names) -> None:
    """A second topic of the same name is refused, and the first stays as it is."""
    topic = names.topic("orders")
    operator.create_topic(topic, partitions=2)

    refused = refusal_of(lambda: operator.create_topic(topic, partitions=5))

    require(refused, "TOPIC_ALREADY_EXISTS", "the answer to the second wish")
    require(led(operator, topic), [0, 1], f"the partitions of {topic} with a leader")


def test_an_altered_setting_leaves_the_others_alone(operator: Operator, names: Names) -> None:
    """Retention is set to seven days, then a size limit is added: both are described, and unsetting one leaves the
    other."""
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


def test_a_deleted_topic_is_gone_and_a_new_one_starts_at_nothing(
    cluster: Cluster, client: Library, admin: RawAdmin, operator: Operator, names: Names
) -> None:
    """A deleted topic is no longer listed; a new one of the same name is empty, and has its own number of
    partitions."""
    topic = names.topic("old")
    operator.create_topic(topic, partitions=4)
    produce(client, cluster.bootstrap, topic, [Outgoing(value=b"old", partition=0)])
    require(admin.offsets(topic, 0), (0, 1), "the log before the deletion (start, end)")

    operator.delete_topic(topic)

    assert topic not in operator.topics(), f"{topic} was deleted, and is still listed"
    operator.create_topic(topic, partitions=1)
    require(led(operator, topic), [0], f"the partitions of the new {topic} with a leader")
    require(admin.offsets(topic, 0), (0, 0), "the log of the new topic (start, end)")
