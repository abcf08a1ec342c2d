"""CreateTopics (key 19) creates topics.

**Claim** A topic whose creation succeeded exists, with the requested numbers of partitions and replicas. An invalid
name or number is refused with its own error, for its topic only, and no such topic is created.
**Why it matters** Deployment tools act on these answers; a program cannot correct a request that was refused with the
wrong error.
**Kafka says** Protocol guide, CreateTopics; KIP-4, KIP-464 (defaults), KIP-516 (topic ids).
**Cannot see** Placement on several brokers and racks; policies that a broker loads as Java classes.
**Rejects** tests/plants/response_with_wrong_error_code.py, tests/plants/makes_what_it_should_only_validate.py
"""

from __future__ import annotations

import pytest

from harness.comparing.created_topics import (
    brokers_default,
    create,
    is_there,
    new_topic,
    only_topic,
    size_of,
)
from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, versions
from reference_broker.wire.errors import ErrorCode

pytestmark = [pytest.mark.feature("CreateTopics"), pytest.mark.kip(4, 464, 516)]

BAD_NAMES = {"empty": "", "dot": ".", "two_dots": "..", "blank_inside": "my topic", "slash": "a/b", "umlaut": "zürich"}
BAD_NAMES["too_long"] = "n" * 250


@all_versions(2, 7)
def test_a_topic_is_made(exchange: Exchange, version: int) -> None:
    """A topic is created with the requested number of partitions."""
    name = exchange.name("orders")
    answer = exchange.ask("a topic of two partitions", create(new_topic(name, 2)), version)

    assert only_topic(answer).error_code == ErrorCode.NONE
    assert size_of(exchange, name) == (2, 1)


@versions(2, 5, 7)
def test_validation_makes_nothing(exchange: Exchange, version: int) -> None:
    """With validate_only the request is answered as if the topic was created, and none is."""
    name = exchange.name("orders")
    answer = exchange.ask("a topic to validate only", create(new_topic(name, 2), validate_only=True), version)

    assert only_topic(answer).error_code == ErrorCode.NONE
    assert not is_there(exchange, name), f"{name} is there after a request to validate only"


@versions(4, 5, 7)
def test_minus_one_means_the_defaults(exchange: Exchange, version: int) -> None:
    """From version 4 on -1 means the broker's default number of partitions or replicas."""
    name = exchange.name("orders")
    answer = exchange.ask("a topic of -1 partitions, -1 replicas", create(new_topic(name, -1, -1)), version)

    assert only_topic(answer).error_code == ErrorCode.NONE
    defaults = brokers_default(exchange, "num.partitions"), brokers_default(exchange, "default.replication.factor")
    assert size_of(exchange, name) == defaults


@versions(2, 3)
def test_minus_one_in_old_versions(exchange: Exchange, version: int) -> None:
    """Versions before 4 promise no defaults: the topic is refused, or created with the broker's default number of
    partitions."""
    name = exchange.name("orders")
    answer = exchange.ask("a topic of -1 partitions, -1 replicas", create(new_topic(name, -1, -1)), version)

    if only_topic(answer).error_code == ErrorCode.NONE:
        assert size_of(exchange, name)[0] == brokers_default(exchange, "num.partitions")
    else:
        assert not is_there(exchange, name)


@versions(2, 5, 7)
def test_a_topic_that_is_there_is_not_made_again(exchange: Exchange, version: int) -> None:
    """A topic that exists already is refused."""
    answer = exchange.ask("a topic that is there", create(new_topic(exchange.topic())), version)

    assert only_topic(answer).error_code == ErrorCode.TOPIC_ALREADY_EXISTS


@versions(2, 5, 7)
def test_a_name_given_twice_is_refused(exchange: Exchange, version: int) -> None:
    """A name that appears twice in a request is refused once; other topics are created."""
    twice, once = exchange.name("twice"), exchange.name("once")
    wanted = new_topic(twice), new_topic(once), new_topic(twice, 2)
    answer = exchange.ask("one name twice, another once", create(*wanted), version)

    codes = {found.name: found.error_code for found in answer.topics}
    assert codes == {twice: ErrorCode.INVALID_REQUEST, once: ErrorCode.NONE}
    assert size_of(exchange, once) == (1, 1)
    assert not is_there(exchange, twice)


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES)
@versions(2, 7)
def test_a_name_that_cannot_be_is_refused(exchange: Exchange, version: int, name: str) -> None:
    """A name must have 1 to 249 letters, digits, dots, dashes and underscores, and not be "." or ".."."""
    answer = exchange.ask(f"a topic named {name[:10]!r}", create(new_topic(name)), version)

    assert only_topic(answer).error_code == ErrorCode.INVALID_TOPIC_EXCEPTION


@versions(2, 7)
def test_names_that_collide_in_metrics_are_refused(exchange: Exchange, version: int) -> None:
    """A name that differs from an existing one only in dots and underscores is refused: metric names would be the
    same."""
    topic = exchange.topic("a.b_c")
    other = topic.replace("a.b_c", "a_b.c")
    exchange.form.label(other, "a_b.c")
    answer = exchange.ask("a_b.c where a.b_c is", create(new_topic(other)), version)

    assert only_topic(answer).error_code == ErrorCode.INVALID_TOPIC_EXCEPTION


@versions(2, 7)
def test_the_metadata_log_cannot_be_made(exchange: Exchange, version: int) -> None:
    """Clients cannot create a topic with the name of the cluster's metadata log."""
    answer = exchange.ask("the topic __cluster_metadata", create(new_topic("__cluster_metadata")), version)

    assert only_topic(answer).error_code == ErrorCode.INVALID_REQUEST


@pytest.mark.parametrize("partitions", [0, -2, -2147483648])
@versions(2, 7)
def test_a_number_of_partitions_is_positive(exchange: Exchange, version: int, partitions: int) -> None:
    """A number of partitions below 1 is refused."""
    name = exchange.name("orders")
    answer = exchange.ask(f"{partitions} partitions", create(new_topic(name, partitions)), version)

    assert only_topic(answer).error_code == ErrorCode.INVALID_PARTITIONS
    assert not is_there(exchange, name)


@pytest.mark.parametrize("replicas", [0, -2, 99, 32767])
@versions(2, 7)
def test_a_number_of_replicas_is_one_that_there_are_brokers_for(
    exchange: Exchange, version: int, replicas: int
) -> None:
    """A replication factor below 1, or above the number of brokers, is refused."""
    name = exchange.name("orders")
    answer = exchange.ask(f"{replicas} replicas", create(new_topic(name, 1, replicas)), version)

    assert only_topic(answer).error_code == ErrorCode.INVALID_REPLICATION_FACTOR
    assert not is_there(exchange, name)


@versions(2, 7)
def test_ten_thousand_partitions_are_too_many_at_once(exchange: Exchange, version: int) -> None:
    """A request for more than 10,000 partitions is refused."""
    name = exchange.name("orders")
    answer = exchange.ask("10,001 partitions", create(new_topic(name, 10_001)), version)

    assert only_topic(answer).error_code == ErrorCode.POLICY_VIOLATION
    assert not is_there(exchange, name)


@pytest.mark.parametrize("partitions", [9_999, 10_000])
@versions(2, 7)
def test_a_request_may_take_ten_thousand_records(exchange: Exchange, version: int, partitions: int) -> None:
    """A topic and each of its partitions take a record each: 9,999 partitions are the most, also where they are only
    validated."""
    name = exchange.name("orders")
    asked = create(new_topic(name, partitions), validate_only=True)
    answer = exchange.ask(f"{partitions:,} partitions, validated", asked, version)

    is_taken = partitions < 10_000
    assert only_topic(answer).error_code == (ErrorCode.NONE if is_taken else ErrorCode.POLICY_VIOLATION)
    assert not is_there(exchange, name)


@versions(2, 7)
def test_one_bad_topic_does_not_spoil_the_others(exchange: Exchange, version: int) -> None:
    """Each topic of a request is created or refused independently."""
    good, bad = exchange.name("good"), exchange.name("bad")
    answer = exchange.ask("a good topic and one of 0 partitions", create(new_topic(good), new_topic(bad, 0)), version)

    codes = {found.name: found.error_code for found in answer.topics}
    assert codes == {good: ErrorCode.NONE, bad: ErrorCode.INVALID_PARTITIONS}
    assert size_of(exchange, good) == (1, 1)
    assert not is_there(exchange, bad)


@versions(2, 7)
def test_no_topics_make_no_answer_but_an_empty_one(exchange: Exchange, version: int) -> None:
    """A request without topics is answered without topics."""
    assert exchange.ask("no topics", create(), version).topics == ()
