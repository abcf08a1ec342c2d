"""IncrementalAlterConfigs (key 44) changes single settings and leaves the others.

**Claim** Settings are set, deleted, appended to or subtracted from as requested, and nothing else changes; an invalid
change is refused together with all other changes of its resource.
**Why it matters** Settings such as retention decide what is deleted; a change that is made in part may delete records.
**Kafka says** Protocol guide, IncrementalAlterConfigs; KIP-339.
**Cannot see** Other brokers' own settings; policies that a broker loads as Java classes.
**Rejects** tests/plants/ignores_altered_settings.py, tests/plants/makes_the_good_changes_of_a_refused_request.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import has_feature, is_since, versions
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)

pytestmark = [
    pytest.mark.feature("IncrementalAlterConfigs"),
    pytest.mark.kip(339),
    pytest.mark.document(
        "Protocol guide, IncrementalAlterConfigs",
        "https://kafka.apache.org/protocol.html#The_Messages_IncrementalAlterConfigs",
    ),
]

TOPIC, BROKER, LOGGER, CLIENT_METRICS, GROUP = 2, 4, 8, 16, 32
SET, DELETE, APPEND, SUBTRACT = 0, 1, 2, 3
DYNAMIC_BROKER = 2
"""The source of a dynamic setting of one broker."""
Change = tuple[str, int, str | None]


def resource(kind: int, name: str, *changes: Change) -> AlterConfigsResource:
    return AlterConfigsResource(
        resource_type=kind,
        resource_name=name,
        configs=tuple(AlterableConfig(name=key, config_operation=what, value=value) for key, what, value in changes),
    )


def request(*resources: AlterConfigsResource, validate_only: bool = False) -> IncrementalAlterConfigsRequest:
    return IncrementalAlterConfigsRequest(resources=resources, validate_only=validate_only)


def own(exchange: Exchange, kind: int, name: str, *keys: str) -> dict[str, str | None]:
    """The current settings of a resource."""
    wanted = DescribeConfigsResource(resource_type=kind, resource_name=name, configuration_keys=keys or None)
    answer = exchange.quietly(DescribeConfigsRequest(resources=(wanted,)), 4)
    return {one.name: one.value for one in answer.results[0].configs}


def await_value(exchange: Exchange, topic: str, key: str, value: str | None) -> None:
    """Raises BrokenPromise unless a topic's setting soon has this value."""
    for _ in exchange.patience(3):
        if own(exchange, TOPIC, topic, key)[key] == value:
            return
    require(own(exchange, TOPIC, topic, key)[key], value, f"the topic's {key}")


def plain(exchange: Exchange, key: str) -> str | None:
    """The value of a setting in a topic without settings of its own."""
    return own(exchange, TOPIC, exchange.topic("plain"), key)[key]


@versions(0, 1)
def test_a_setting_is_set(exchange: Exchange, version: int) -> None:
    """A setting gets the new value, and all others keep theirs."""
    topic = exchange.topic(segment_bytes="2000000")
    before = own(exchange, TOPIC, topic)
    answer = exchange.ask("set retention.ms", request(resource(TOPIC, topic, ("retention.ms", SET, "5000"))), version)

    assert answer.responses[0].error_code == ErrorCode.NONE
    await_value(exchange, topic, "retention.ms", "5000")
    require(own(exchange, TOPIC, topic), {**before, "retention.ms": "5000"}, "the settings of the topic")


@versions(0, 1)
def test_a_setting_is_deleted(exchange: Exchange, version: int) -> None:
    """A setting that is deleted has its default again."""
    topic, default = exchange.topic(segment_bytes="2000000"), plain(exchange, "segment.bytes")
    answer = exchange.ask(
        "delete segment.bytes", request(resource(TOPIC, topic, ("segment.bytes", DELETE, None))), version
    )

    assert answer.responses[0].error_code == ErrorCode.NONE
    await_value(exchange, topic, "segment.bytes", default)


@versions(0, 1)
def test_a_setting_that_is_not_there_is_deleted_without_complaint(exchange: Exchange, version: int) -> None:
    """Deleting a setting that is not set on the topic succeeds and changes nothing."""
    topic = exchange.topic()
    before = own(exchange, TOPIC, topic)
    change = request(resource(TOPIC, topic, ("flush.ms", DELETE, None)))
    answer = exchange.ask("delete a setting that is not set", change, version)

    assert answer.responses[0].error_code == ErrorCode.NONE
    require(own(exchange, TOPIC, topic), before, "the settings of the topic")


@versions(0, 1)
def test_a_list_is_appended_to(exchange: Exchange, version: int) -> None:
    """A word that is appended to a list twice is in it once."""
    topic = exchange.topic()
    for turn in ("first", "second"):
        change = resource(TOPIC, topic, ("cleanup.policy", APPEND, "compact"))
        answer = exchange.ask(f"append to cleanup.policy, {turn} time", request(change), version)
        assert answer.responses[0].error_code == ErrorCode.NONE
    await_value(exchange, topic, "cleanup.policy", "delete,compact")


@versions(0, 1)
def test_a_list_is_subtracted_from(exchange: Exchange, version: int) -> None:
    """A word that is subtracted from a list is no longer in it."""
    topic = exchange.topic(cleanup_policy="delete,compact")
    change = resource(TOPIC, topic, ("cleanup.policy", SUBTRACT, "delete"))
    answer = exchange.ask("subtract from cleanup.policy", request(change), version)

    assert answer.responses[0].error_code == ErrorCode.NONE
    await_value(exchange, topic, "cleanup.policy", "compact")


@versions(0, 1)
def test_validation_changes_nothing(exchange: Exchange, version: int) -> None:
    """validate_only leaves the settings as they are."""
    topic = exchange.topic()
    before = own(exchange, TOPIC, topic)
    change = resource(TOPIC, topic, ("segment.bytes", SET, "2000000"))
    answer = exchange.ask("set segment.bytes, to validate only", request(change, validate_only=True), version)

    assert answer.responses[0].error_code == ErrorCode.NONE
    require(own(exchange, TOPIC, topic), before, "the settings of the topic")


REFUSED: dict[str, tuple[Change, ...]] = {
    "an_unknown_key": (("no.such.key", SET, "1"),),
    "a_word_for_a_number": (("retention.ms", SET, "soon"),),
    "a_number_out_of_range": (("retention.ms", SET, "-2"),),
    "a_word_that_is_no_policy": (("cleanup.policy", SET, "shred"),),
    "an_appended_word_that_is_no_policy": (("cleanup.policy", APPEND, "shred"),),
    "append_to_a_number": (("retention.ms", APPEND, "1"),),
    "subtract_from_a_number": (("retention.ms", SUBTRACT, "1"),),
    "lags_that_contradict": (("min.compaction.lag.ms", SET, "9"), ("max.compaction.lag.ms", SET, "8")),
}
BAD_REQUESTS: dict[str, tuple[Change, ...]] = {
    "null_to_set": (("retention.ms", SET, None),),
    "null_to_append": (("cleanup.policy", APPEND, None),),
    "null_to_subtract": (("cleanup.policy", SUBTRACT, None),),
    "one_key_twice": (("retention.ms", SET, "1000"), ("retention.ms", DELETE, None)),
}


@pytest.mark.parametrize("changes", REFUSED.values(), ids=REFUSED)
@versions(0, 1)
def test_a_change_that_cannot_be_is_refused(exchange: Exchange, version: int, changes: tuple[Change, ...]) -> None:
    """An unknown setting, a value outside its range, or an operation that the setting does not support, is refused."""
    words = ", ".join(f"{key} by operation {what} {(value or 'null')[:20]}" for key, what, value in changes)
    topic = exchange.topic()
    before = own(exchange, TOPIC, topic)
    answer = exchange.ask(words, request(resource(TOPIC, topic, *changes)), version)

    assert answer.responses[0].error_code == ErrorCode.INVALID_CONFIG
    require(own(exchange, TOPIC, topic), before, "the settings of the topic")


@pytest.mark.parametrize("changes", BAD_REQUESTS.values(), ids=BAD_REQUESTS)
@versions(0, 1)
def test_a_change_that_makes_no_sense_is_refused(exchange: Exchange, version: int, changes: tuple[Change, ...]) -> None:
    """A change that lacks its value, and two changes of the same key, are refused."""
    words = ", ".join(f"{key} by operation {what} {value}" for key, what, value in changes)
    topic = exchange.topic()
    before = own(exchange, TOPIC, topic)
    answer = exchange.ask(words, request(resource(TOPIC, topic, *changes)), version)

    assert answer.responses[0].error_code == ErrorCode.INVALID_REQUEST
    require(own(exchange, TOPIC, topic), before, "the settings of the topic")


@pytest.mark.parametrize("operation", [4, -1, 127])
def test_an_unknown_operation_is_refused(exchange: Exchange, operation: int) -> None:
    """An unknown operation is refused. (Sent for a broker's setting: for a topic's, the controller of 4.3.1
    resigns.)"""
    change = resource(BROKER, str(exchange.broker()), ("log.retention.ms", operation, "1000"))
    answer = exchange.ask(f"operation {operation}", request(change, validate_only=True), 1)

    assert answer.responses[0].error_code == ErrorCode.INVALID_REQUEST


@versions(0, 1)
def test_an_unknown_key_is_deleted_without_complaint(exchange: Exchange, version: int) -> None:
    """Deleting a setting that Kafka does not know succeeds."""
    change = resource(TOPIC, exchange.topic(), ("no.such.key", DELETE, None))
    answer = exchange.ask("delete a key that Kafka does not know", request(change), version)

    assert answer.responses[0].error_code == ErrorCode.NONE


@pytest.mark.kafka_issue("KAFKA-18907")
def test_a_value_that_has_grown_too_long_is_refused(exchange: Exchange) -> None:
    """An append that would make a list longer than 32,767 bytes is refused."""
    topic, key = exchange.topic(), "leader.replication.throttled.replicas"
    # KAFKA-18907: Apache Kafka before 4.1 refuses it by an unexpected exception.
    accidents = () if is_since(exchange, "4.1") else (ErrorCode.UNKNOWN_SERVER_ERROR,)
    for first, codes in ((10_000, (ErrorCode.NONE,)), (20_000, (ErrorCode.INVALID_CONFIG, *accidents))):
        words = ",".join(f"{first + number}:1" for number in range(2_500))
        change = resource(TOPIC, topic, (key, APPEND, words))
        answer = exchange.ask(f"append 20,000 characters from {first}:1 on", request(change), 1)
        assert answer.responses[0].error_code in codes
        kept = ",".join(f"{10_000 + number}:1" for number in range(2_500))
        await_value(exchange, topic, key, kept)


@versions(0, 1)
def test_one_bad_change_spoils_its_resource_alone(exchange: Exchange, version: int) -> None:
    """Either all changes of a resource are made or none; other resources are not affected."""
    good, bad, default = exchange.topic("good"), exchange.topic("bad"), plain(exchange, "segment.bytes")
    answer = exchange.ask(
        "a good topic, and one with a good and a bad change",
        request(
            resource(TOPIC, bad, ("segment.bytes", SET, "2000000"), ("no.such.key", SET, "1")),
            resource(TOPIC, good, ("segment.bytes", SET, "2000000")),
        ),
        version,
    )

    codes = {found.resource_name: found.error_code for found in answer.responses}
    assert codes == {good: ErrorCode.NONE, bad: ErrorCode.INVALID_CONFIG}
    await_value(exchange, good, "segment.bytes", "2000000")
    require(own(exchange, TOPIC, bad, "segment.bytes"), {"segment.bytes": default}, "what was refused in part")


@versions(0, 1)
def test_a_resource_named_twice_is_refused(exchange: Exchange, version: int) -> None:
    """A resource that is named twice in a request is refused."""
    topic = exchange.topic()
    change = resource(TOPIC, topic, ("segment.bytes", SET, "2000000"))
    other = resource(TOPIC, topic, ("flush.ms", SET, "1000"))
    before = own(exchange, TOPIC, topic)
    answer = exchange.ask("one topic twice", request(change, other), version)

    assert {found.error_code for found in answer.responses} == {ErrorCode.INVALID_REQUEST}
    require(own(exchange, TOPIC, topic), before, "the settings of the topic")


@pytest.mark.parametrize("name", ["", ".", "my topic", "n" * 250], ids=["empty", "dot", "blank_inside", "too_long"])
def test_a_topic_that_cannot_be_is_refused(exchange: Exchange, name: str) -> None:
    """A name that no topic can have, and an empty name, are refused."""
    change = resource(TOPIC, name, ("segment.bytes", SET, "2000000"))
    answer = exchange.ask(f"a topic named {name[:10]!r}", request(change), 1)

    code = ErrorCode.INVALID_TOPIC_EXCEPTION if name else ErrorCode.INVALID_REQUEST
    assert answer.responses[0].error_code == code


@versions(0, 1)
def test_an_unknown_topic_is_refused(exchange: Exchange, version: int) -> None:
    """A topic that does not exist is refused."""
    change = resource(TOPIC, exchange.name("nowhere"), ("segment.bytes", SET, "2000000"))
    answer = exchange.ask("a topic that is not there", request(change), version)

    assert answer.responses[0].error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


BROKERS = {
    "a_read_only_setting": ("own", ("node.id", SET, "5"), ErrorCode.INVALID_REQUEST),
    "another_brokers_id": ("987654", ("log.retention.ms", SET, "5000"), ErrorCode.INVALID_REQUEST),
    "a_word_for_an_id": ("first", ("log.retention.ms", SET, "5000"), ErrorCode.INVALID_REQUEST),
    "a_value_out_of_range": ("own", ("num.io.threads", SET, "0"), ErrorCode.INVALID_REQUEST),
    "a_word_for_a_number": ("own", ("num.io.threads", SET, "many"), ErrorCode.INVALID_REQUEST),
    "append_to_a_number": ("own", ("num.io.threads", APPEND, "1"), ErrorCode.INVALID_CONFIG),
    "a_listeners_setting_for_all": ("", ("listeners", SET, "PLAINTEXT://:1"), ErrorCode.INVALID_REQUEST),
    "a_key_store_without_its_listener": ("own", ("ssl.keystore.location", SET, "x"), ErrorCode.INVALID_REQUEST),
    "least_replicas_of_one_broker": ("own", ("min.insync.replicas", SET, "1"), ErrorCode.INVALID_CONFIG),
    "least_replicas_of_all_deleted": ("", ("min.insync.replicas", DELETE, None), ErrorCode.INVALID_CONFIG),
}
"""(broker, change, error), as Apache Kafka 4.0.2 to 4.3.1 answer."""


@pytest.mark.parametrize("case", BROKERS.values(), ids=BROKERS)
def test_a_brokers_setting_that_cannot_be_changed_is_refused(
    exchange: Exchange, case: tuple[str, Change, ErrorCode]
) -> None:
    """Read-only settings, settings that cannot be changed for this broker or for all, and invalid values are
    refused."""
    if case[1][0] == "min.insync.replicas" and not has_feature(exchange, "eligible.leader.replicas.version"):
        pytest.skip("eligible leader replicas are not turned on: the setting is free (KIP-966)")
    name = str(exchange.broker()) if case[0] == "own" else case[0]
    answer = exchange.ask(
        f"{case[1][0]} of broker {case[0]!r}", request(resource(BROKER, name, case[1]), validate_only=True), 1
    )

    assert answer.responses[0].error_code == case[2]


def test_a_brokers_setting_is_changed_and_restored(exchange: Exchange) -> None:
    """A dynamic setting of a broker is set, described with its source, and then restored."""
    broker, key = str(exchange.broker()), "log.cleaner.threads"
    wanted = DescribeConfigsRequest(
        resources=(DescribeConfigsResource(resource_type=BROKER, resource_name=broker, configuration_keys=(key,)),),
        include_synonyms=True,
    )
    before = exchange.quietly(wanted, 4).results[0].configs[0]
    back = (key, SET, before.value) if before.config_source == DYNAMIC_BROKER else (key, DELETE, None)
    change = request(resource(BROKER, broker, (key, SET, "2")))
    try:
        assert exchange.ask("set log.cleaner.threads", change, 1).responses[0].error_code == ErrorCode.NONE
        assert any(exchange.quietly(wanted).results[0].configs[0].value == "2" for _ in exchange.patience(3))
        (told,) = exchange.ask("the setting with its synonyms", wanted, 4).results[0].configs
        first = told.synonyms[0]
        assert (told.value, told.config_source, first.value, first.source) == ("2", DYNAMIC_BROKER, "2", DYNAMIC_BROKER)
    finally:
        answer = exchange.ask("as before again", request(resource(BROKER, broker, back)), 1)
    assert answer.responses[0].error_code == ErrorCode.NONE
    is_back = any(exchange.quietly(wanted).results[0].configs[0].value == before.value for _ in exchange.patience(3))
    assert is_back, f"{key} should be {before.value} again"


def test_a_brokers_unknown_setting_is_taken(exchange: Exchange) -> None:
    """A broker accepts settings that it does not know, because plugins may use them."""
    change = resource(BROKER, str(exchange.broker()), ("some.plugins.key", SET, "1"))
    answer = exchange.ask("an unknown key of the broker, to validate only", request(change, validate_only=True), 1)

    assert answer.responses[0].error_code == ErrorCode.NONE


TIMEOUT = "consumer.session.timeout.ms"
OTHERS = {
    "group_set": (GROUP, "readers", (TIMEOUT, SET, "50000"), ErrorCode.NONE),
    "group_unknown_key": (GROUP, "readers", ("no.such.key", SET, "1"), ErrorCode.INVALID_CONFIG),
    "group_below_the_least": (GROUP, "readers", (TIMEOUT, SET, "1"), ErrorCode.INVALID_CONFIG),
    "group_above_the_greatest": (GROUP, "readers", (TIMEOUT, SET, "99999999"), ErrorCode.INVALID_CONFIG),
    "group_word_for_a_number": (GROUP, "readers", (TIMEOUT, SET, "soon"), ErrorCode.INVALID_CONFIG),
    "group_without_a_name": (GROUP, "", (TIMEOUT, SET, "50000"), ErrorCode.INVALID_REQUEST),
    "metrics_set": (CLIENT_METRICS, "metrics", ("interval.ms", SET, "1000"), ErrorCode.NONE),
    "metrics_unknown_key": (CLIENT_METRICS, "metrics", ("no.such.key", SET, "1"), ErrorCode.INVALID_REQUEST),
    "metrics_too_often": (CLIENT_METRICS, "metrics", ("interval.ms", SET, "1"), ErrorCode.INVALID_REQUEST),
    "metrics_bad_pattern": (CLIENT_METRICS, "metrics", ("match", SET, "who=me"), ErrorCode.INVALID_CONFIG),
    "metrics_without_a_name": (CLIENT_METRICS, "", ("interval.ms", SET, "1000"), ErrorCode.INVALID_REQUEST),
    "unknown_type": (0, "x", ("retention.ms", SET, "1"), ErrorCode.INVALID_REQUEST),
    "any_type": (1, "x", ("retention.ms", SET, "1"), ErrorCode.INVALID_REQUEST),
    "type_64": (64, "x", ("retention.ms", SET, "1"), ErrorCode.INVALID_REQUEST),
}
"""(type, name, change, error), as Apache Kafka 4.0.2 to 4.3.1 answer."""


@pytest.mark.parametrize("case", OTHERS.values(), ids=OTHERS)
def test_other_resources_are_changed_or_refused(exchange: Exchange, case: tuple[int, str, Change, ErrorCode]) -> None:
    """Groups and client metrics accept their own settings within their ranges; other changes are refused."""
    kind, label, change, code = case
    name = exchange.name(label) if label in ("readers", "metrics") else label
    answer = exchange.ask(
        f"type {kind} {label!r}: {change[0]}={change[2]}", request(resource(kind, name, change), validate_only=True), 1
    )

    assert [found.error_code for found in answer.responses] == [code]


@versions(0, 1)
def test_no_resources_get_an_empty_answer(exchange: Exchange, version: int) -> None:
    """A request without resources is answered without resources."""
    assert exchange.ask("no resources", request(), version).responses == ()


@versions(1)
def test_no_changes_change_nothing(exchange: Exchange, version: int) -> None:
    """A resource without changes is answered without an error, and keeps its settings."""
    topic = exchange.topic(segment_bytes="2000000")
    before = own(exchange, TOPIC, topic)
    answer = exchange.ask("a topic without changes", request(resource(TOPIC, topic)), version)

    assert answer.responses[0].error_code == ErrorCode.NONE
    require(own(exchange, TOPIC, topic), before, "the settings of the topic")
