"""CreateTopics (key 19) makes topics, by number of partitions or by assignment.

**Claim** A topic that CreateTopics says was made is there, with the size that was asked for and the settings that the
answer tells; every request that cannot be is refused with its own error, and leaves no topic behind.
**Why it matters** Deployment tools act on these answers; a topic that was refused for one reason and reported for
another cannot be repaired by a program.
**Kafka says** Protocol guide, CreateTopics; KIP-4, KIP-464 (defaults), KIP-525 (what was made), KIP-516 (topic ids).
**Cannot see** Placement over several brokers and racks; policies that a broker loads as Java classes.
**Rejects** tests/plants/response_with_wrong_error_code.py, tests/plants/makes_topics_without_their_settings.py,
tests/plants/makes_what_it_should_only_validate.py
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, versions
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from reference_broker.wire.messages.create_topics_response import CreatableTopicResult, CreateTopicsResponse
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import BrokerId, TopicName

pytestmark = [
    pytest.mark.feature("CreateTopics"),
    pytest.mark.kip(4, 464, 525, 516),
    pytest.mark.document("Protocol, CreateTopics", "https://kafka.apache.org/protocol.html#The_Messages_CreateTopics"),
]

TOPIC, BROKER = 2, 4
BAD_NAMES = {"empty": "", "dot": ".", "two_dots": "..", "blank_inside": "my topic", "slash": "a/b", "umlaut": "zürich"}
BAD_NAMES["too_long"] = "n" * 250


def new(
    name: str,
    partitions: int = 1,
    replicas: int = 1,
    *,
    config: Mapping[str, str | None] | None = None,
    assignment: Mapping[int, tuple[int, ...]] | None = None,
) -> CreatableTopic:
    return CreatableTopic(
        name=TopicName(name),
        num_partitions=partitions,
        replication_factor=replicas,
        configs=tuple(CreatableTopicConfig(name=key, value=value) for key, value in (config or {}).items()),
        assignments=tuple(
            CreatableReplicaAssignment(partition_index=index, broker_ids=tuple(map(BrokerId, brokers)))
            for index, brokers in (assignment or {}).items()
        ),
    )


def request(*topics: CreatableTopic, validate_only: bool = False) -> CreateTopicsRequest:
    return CreateTopicsRequest(topics=topics, timeout_ms=10_000, validate_only=validate_only)


def only(answer: CreateTopicsResponse) -> CreatableTopicResult:
    (found,) = answer.topics
    return found


def is_there(exchange: Exchange, name: str) -> bool:
    """Whether a topic is there now, by the controller: it says whether one of this name could be made."""
    answer = exchange.quietly(request(new(name), validate_only=True), 7)
    return only(answer).error_code == ErrorCode.TOPIC_ALREADY_EXISTS


def size(exchange: Exchange, name: str) -> tuple[int, int]:
    """(partitions, replicas of each) of a topic, waited for a little; (0, 0) where it does not come."""
    about = MetadataRequest(topics=(MetadataRequestTopic(name=TopicName(name)),), allow_auto_topic_creation=False)
    for _ in exchange.patience(3):
        (found,) = exchange.quietly(about).topics
        if found.error_code == ErrorCode.NONE:
            return len(found.partitions), len(found.partitions[0].replica_nodes)
    return 0, 0


def settings(exchange: Exchange, name: str) -> dict[str, str | None]:
    """All settings of a topic that is there."""
    wanted = DescribeConfigsResource(resource_type=TOPIC, resource_name=name, configuration_keys=None)
    answer = exchange.quietly(DescribeConfigsRequest(resources=(wanted,)), 4)
    return {one.name: one.value for one in answer.results[0].configs}


def brokers_default(exchange: Exchange, name: str) -> int:
    """A number among the settings of a broker."""
    wanted = DescribeConfigsResource(
        resource_type=BROKER, resource_name=str(node(exchange)), configuration_keys=(name,)
    )
    return int(exchange.quietly(DescribeConfigsRequest(resources=(wanted,)), 4).results[0].configs[0].value)


def node(exchange: Exchange) -> int:
    """The id of a broker that is there."""
    broker: int = exchange.quietly(MetadataRequest(topics=(), allow_auto_topic_creation=False)).brokers[0].node_id
    return broker


@all_versions(2, 7)
def test_a_topic_is_made(exchange: Exchange, version: int) -> None:
    """A topic with a number of partitions is made and found."""
    name = exchange.name("orders")
    answer = exchange.ask("a topic of two partitions", request(new(name, 2)), version)

    assert only(answer).error_code == ErrorCode.NONE
    assert size(exchange, name) == (2, 1)


@versions(5, 7)
def test_the_answer_tells_what_was_made(exchange: Exchange, version: int) -> None:
    """From version 5 on the answer tells size and settings, those given and those that are defaults, as they are."""
    config, name = {"retention.ms": "123456", "cleanup.policy": "compact"}, exchange.name("orders")
    answer = exchange.ask("a topic with two settings", request(new(name, 3, config=config)), version)

    found = only(answer)
    assert (found.num_partitions, found.replication_factor) == size(exchange, name) == (3, 1)
    told = {one.name: one.value for one in found.configs or ()}
    assert {key: told[key] for key in config} == config
    require(settings(exchange, name), told, "the settings of the topic")


@versions(2, 5, 7)
def test_a_topic_has_the_settings_that_were_given(exchange: Exchange, version: int) -> None:
    """In every version a topic has the settings that the request gives it."""
    config, name = {"retention.ms": "123456", "cleanup.policy": "compact"}, exchange.name("orders")
    answer = exchange.ask("a topic with two settings", request(new(name, config=config)), version)

    assert only(answer).error_code == ErrorCode.NONE
    assert size(exchange, name) == (1, 1)
    found = settings(exchange, name)
    require({key: found[key] for key in config}, config, "the settings of the topic")


@versions(2, 5, 7)
def test_validation_makes_nothing(exchange: Exchange, version: int) -> None:
    """validate_only answers as if the topic had been made, and makes none."""
    name = exchange.name("orders")
    answer = exchange.ask("a topic to validate only", request(new(name, 2), validate_only=True), version)

    assert only(answer).error_code == ErrorCode.NONE
    assert not is_there(exchange, name), f"{name} is there after a request to validate only"


@versions(4, 5, 7)
def test_minus_one_means_the_defaults(exchange: Exchange, version: int) -> None:
    """From version 4 on -1 stands for the broker's number of partitions and replicas."""
    name = exchange.name("orders")
    answer = exchange.ask("a topic of -1 partitions, -1 replicas", request(new(name, -1, -1)), version)

    assert only(answer).error_code == ErrorCode.NONE
    defaults = brokers_default(exchange, "num.partitions"), brokers_default(exchange, "default.replication.factor")
    assert size(exchange, name) == defaults


@versions(2, 3)
def test_minus_one_in_old_versions(exchange: Exchange, version: int) -> None:
    """Versions before 4 promise no defaults: the topic is refused, or made with the broker's numbers."""
    name = exchange.name("orders")
    answer = exchange.ask("a topic of -1 partitions, -1 replicas", request(new(name, -1, -1)), version)

    if only(answer).error_code == ErrorCode.NONE:
        assert size(exchange, name)[0] == brokers_default(exchange, "num.partitions")
    else:
        assert not is_there(exchange, name)


@versions(2, 5, 7)
def test_an_assignment_is_taken(exchange: Exchange, version: int) -> None:
    """Partitions may be given by their brokers, with -1 for the numbers."""
    broker, name = node(exchange), exchange.name("orders")
    topic = new(name, -1, -1, assignment={1: (broker,), 0: (broker,)})
    answer = exchange.ask("two partitions by assignment", request(topic), version)

    assert only(answer).error_code == ErrorCode.NONE
    assert size(exchange, name) == (2, 1)


@versions(2, 5, 7)
def test_a_topic_that_is_there_is_not_made_again(exchange: Exchange, version: int) -> None:
    """A name that is taken is refused."""
    answer = exchange.ask("a topic that is there", request(new(exchange.topic())), version)

    assert only(answer).error_code == ErrorCode.TOPIC_ALREADY_EXISTS


@versions(2, 5, 7)
def test_a_name_given_twice_is_refused(exchange: Exchange, version: int) -> None:
    """A name that stands twice in a request is refused, once; the others are made."""
    twice, once = exchange.name("twice"), exchange.name("once")
    answer = exchange.ask("one name twice, another once", request(new(twice), new(once), new(twice, 2)), version)

    codes = {found.name: found.error_code for found in answer.topics}
    assert codes == {twice: ErrorCode.INVALID_REQUEST, once: ErrorCode.NONE}
    assert size(exchange, once) == (1, 1)
    assert not is_there(exchange, twice)


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES)
@versions(2, 7)
def test_a_name_that_cannot_be_is_refused(exchange: Exchange, version: int, name: str) -> None:
    """Names are 1 to 249 letters, digits, dots, dashes and underscores, and not . or .. alone."""
    answer = exchange.ask(f"a topic named {name[:10]!r}", request(new(name)), version)

    assert only(answer).error_code == ErrorCode.INVALID_TOPIC_EXCEPTION


@versions(2, 7)
def test_names_that_collide_in_metrics_are_refused(exchange: Exchange, version: int) -> None:
    """Dots and underscores are the same in the names of metrics, so two such topics cannot be."""
    topic = exchange.topic("a.b_c")
    other = topic.replace("a.b_c", "a_b.c")
    exchange.form.label(other, "a_b.c")
    answer = exchange.ask("a_b.c where a.b_c is", request(new(other)), version)

    assert only(answer).error_code == ErrorCode.INVALID_TOPIC_EXCEPTION


@versions(2, 7)
def test_the_metadata_log_cannot_be_made(exchange: Exchange, version: int) -> None:
    """The cluster's own metadata log is no topic for clients."""
    answer = exchange.ask("the topic __cluster_metadata", request(new("__cluster_metadata")), version)

    assert only(answer).error_code == ErrorCode.INVALID_REQUEST


@pytest.mark.parametrize("partitions", [0, -2, -2147483648])
@versions(2, 7)
def test_a_number_of_partitions_is_positive(exchange: Exchange, version: int, partitions: int) -> None:
    """No topic has less than one partition."""
    name = exchange.name("orders")
    answer = exchange.ask(f"{partitions} partitions", request(new(name, partitions)), version)

    assert only(answer).error_code == ErrorCode.INVALID_PARTITIONS
    assert not is_there(exchange, name)


@pytest.mark.parametrize("replicas", [0, -2, 99, 32767])
@versions(2, 7)
def test_a_number_of_replicas_is_one_that_there_are_brokers_for(
    exchange: Exchange, version: int, replicas: int
) -> None:
    """No partition has less than one replica, or more than there are brokers."""
    name = exchange.name("orders")
    answer = exchange.ask(f"{replicas} replicas", request(new(name, 1, replicas)), version)

    assert only(answer).error_code == ErrorCode.INVALID_REPLICATION_FACTOR
    assert not is_there(exchange, name)


@versions(2, 7)
def test_ten_thousand_partitions_are_too_many_at_once(exchange: Exchange, version: int) -> None:
    """One request makes at most 10,000 partitions."""
    name = exchange.name("orders")
    answer = exchange.ask("10,001 partitions", request(new(name, 10_001)), version)

    assert only(answer).error_code == ErrorCode.POLICY_VIOLATION
    assert not is_there(exchange, name)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("no.such.key", "1"),
        ("retention.ms", "soon"),
        ("retention.ms", "-2"),
        ("retention.ms", ""),
        ("cleanup.policy", "shred"),
        ("cleanup.policy", "compact,shred"),
        ("min.cleanable.dirty.ratio", "1.5"),
        ("min.insync.replicas", "0"),
        ("max.message.bytes", "-1"),
        ("segment.bytes", "13"),
        ("segment.bytes", "99999999999"),
        ("compression.type", "rar"),
        ("message.timestamp.type", "Lunch"),
        ("unclean.leader.election.enable", "perhaps"),
        ("message.downconversion.enable", "true"),
        ("remote.storage.enable", "true"),
        ("leader.replication.throttled.replicas", "all"),
        ("flush.messages", "0"),
        ("delete.retention.ms", "-1"),
    ],
    ids=lambda word: word or "nothing",
)
def test_a_setting_that_cannot_be_is_refused(exchange: Exchange, key: str, value: str) -> None:
    """Settings have names that Kafka knows, and values in their ranges."""
    name = exchange.name("orders")
    answer = exchange.ask(f"{key}={value}", request(new(name, config={key: value})), 7)

    assert only(answer).error_code == ErrorCode.INVALID_CONFIG
    assert not is_there(exchange, name)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cleanup.policy", ""),
        ("cleanup.policy", "compact,delete"),
        ("cleanup.policy", " delete "),
        ("retention.ms", "-1"),
        ("retention.ms", " 7 "),
        ("retention.bytes", "-1"),
        ("compression.type", "zstd"),
        ("message.timestamp.type", "LogAppendTime"),
        ("min.cleanable.dirty.ratio", "1"),
        ("preallocate", "TRUE"),
        ("leader.replication.throttled.replicas", "*"),
        ("leader.replication.throttled.replicas", "0:1,1:1"),
        ("compression.zstd.level", "-5"),
    ],
    ids=lambda word: word.strip() or "nothing",
)
def test_a_setting_that_can_be_is_taken(exchange: Exchange, key: str, value: str) -> None:
    """Values may have blanks around them, lists may be empty where Kafka says so, booleans may be in capitals."""
    name = exchange.name("orders")
    answer = exchange.ask(f"{key}={value!r}", request(new(name, config={key: value})), 7)

    assert only(answer).error_code == ErrorCode.NONE
    assert size(exchange, name) == (1, 1)
    told, wanted = (settings(exchange, name)[key] or "").lower(), value.strip().lower()
    assert told == wanted or float(told) == float(wanted)


@versions(2, 7)
def test_a_null_setting_is_refused(exchange: Exchange, version: int) -> None:
    """A setting without a value is no setting."""
    name = exchange.name("orders")
    topic = new(name, config={"retention.ms": None, "cleanup.policy": None})
    answer = exchange.ask("two settings that are null", request(topic), version)

    assert only(answer).error_code == ErrorCode.INVALID_CONFIG
    assert not is_there(exchange, name)


def test_settings_that_contradict_each_other_are_refused(exchange: Exchange) -> None:
    """The least lag of compaction cannot be above the greatest."""
    config, name = {"min.compaction.lag.ms": "2000", "max.compaction.lag.ms": "1000"}, exchange.name("orders")
    answer = exchange.ask("a least lag above the greatest", request(new(name, config=config)), 7)

    assert only(answer).error_code == ErrorCode.INVALID_CONFIG
    assert not is_there(exchange, name)


@pytest.mark.parametrize(("partitions", "replicas"), [(2, -1), (-1, 1), (2, 1)])
@versions(2, 7)
def test_an_assignment_beside_numbers_is_refused(
    exchange: Exchange, version: int, partitions: int, replicas: int
) -> None:
    """A topic is given by numbers or by assignment, not by both."""
    name = exchange.name("orders")
    topic = new(name, partitions, replicas, assignment={0: (node(exchange),)})
    answer = exchange.ask(f"an assignment, {partitions} partitions, {replicas} replicas", request(topic), version)

    assert only(answer).error_code == ErrorCode.INVALID_REQUEST
    assert not is_there(exchange, name)


@pytest.mark.parametrize("kind", ["unknown_broker", "broker_twice", "no_broker", "gap", "not_from_zero", "negative"])
@versions(2, 7)
def test_an_assignment_that_cannot_be_is_refused(exchange: Exchange, version: int, kind: str) -> None:
    """Partitions are numbered from 0 without gaps, and each has brokers that are there, each once."""
    broker = node(exchange)
    assignment: dict[int, tuple[int, ...]] = {
        "unknown_broker": {0: (broker + 1000,)},
        "broker_twice": {0: (broker, broker)},
        "no_broker": {0: ()},
        "gap": {0: (broker,), 2: (broker,)},
        "not_from_zero": {1: (broker,)},
        "negative": {-1: (broker,)},
    }[kind]
    name = exchange.name("orders")
    topic = new(name, -1, -1, assignment=assignment)
    answer = exchange.ask(f"an assignment: {kind.replace('_', ' ')}", request(topic), version)

    assert only(answer).error_code == ErrorCode.INVALID_REPLICA_ASSIGNMENT
    assert not is_there(exchange, name)


@versions(7)
def test_an_assignment_that_names_a_partition_twice_is_refused(exchange: Exchange, version: int) -> None:
    """A partition is assigned once."""
    broker = node(exchange)
    twice = tuple(CreatableReplicaAssignment(partition_index=0, broker_ids=(BrokerId(broker),)) for _ in range(2))
    topic = CreatableTopic(
        name=TopicName(exchange.name("orders")), num_partitions=-1, replication_factor=-1, assignments=twice
    )
    answer = exchange.ask("partition 0 twice", request(topic), version)

    assert only(answer).error_code == ErrorCode.INVALID_REPLICA_ASSIGNMENT


@versions(2, 7)
def test_one_bad_topic_does_not_spoil_the_others(exchange: Exchange, version: int) -> None:
    """Each topic of a request is made or refused by itself."""
    good, bad = exchange.name("good"), exchange.name("bad")
    answer = exchange.ask("a good topic and one of 0 partitions", request(new(good), new(bad, 0)), version)

    codes = {found.name: found.error_code for found in answer.topics}
    assert codes == {good: ErrorCode.NONE, bad: ErrorCode.INVALID_PARTITIONS}
    assert size(exchange, good) == (1, 1)
    assert not is_there(exchange, bad)


@versions(2, 7)
def test_no_topics_make_no_answer_but_an_empty_one(exchange: Exchange, version: int) -> None:
    """A request without topics is answered without topics."""
    assert exchange.ask("no topics", request(), version).topics == ()
