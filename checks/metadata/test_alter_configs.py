"""AlterConfigs (key 33) replaces all settings of a resource (deprecated in favour of IncrementalAlterConfigs).

**Claim** Settings in the request get the given values, all others of the resource return to their defaults, and a
request with an invalid setting changes nothing.
**Why it matters** Old tools still use it, and records may be deleted if a setting is lost by mistake.
**Kafka says** Protocol guide, AlterConfigs; KIP-133.
**Cannot see** Policies that a broker loads as Java classes; a resource named twice, which 4.3.1 never answers.
**Rejects** tests/plants/keeps_settings_that_were_left_out.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, versions
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_configs_request import (
    AlterableConfig,
    AlterConfigsRequest,
    AlterConfigsResource,
)
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource

pytestmark = [
    pytest.mark.feature("AlterConfigs"),
    pytest.mark.kip(133),
    pytest.mark.document(
        "Protocol guide, AlterConfigs", "https://kafka.apache.org/protocol.html#The_Messages_AlterConfigs"
    ),
]

TOPIC, BROKER, GROUP = 2, 4, 32


def resource(kind: int, name: str, **settings: str | None) -> AlterConfigsResource:
    """A resource with settings whose names are written with _ for a dot."""
    return AlterConfigsResource(
        resource_type=kind,
        resource_name=name,
        configs=tuple(AlterableConfig(name=key.replace("_", "."), value=value) for key, value in settings.items()),
    )


def request(*resources: AlterConfigsResource, validate_only: bool = False) -> AlterConfigsRequest:
    return AlterConfigsRequest(resources=resources, validate_only=validate_only)


def setting(exchange: Exchange, topic: str, key: str) -> str | None:
    wanted = DescribeConfigsResource(resource_type=TOPIC, resource_name=topic, configuration_keys=(key,))
    answer = exchange.quietly(DescribeConfigsRequest(resources=(wanted,)), 4)
    value: str | None = answer.results[0].configs[0].value
    return value


@all_versions(0, 2)
def test_settings_are_replaced(exchange: Exchange, version: int) -> None:
    """A setting in the request is set; one that is not in it returns to its default."""
    topic = exchange.topic(segment_bytes="2000000")
    default = setting(exchange, exchange.topic("plain"), "segment.bytes")
    answer = exchange.ask("flush.ms alone", request(resource(TOPIC, topic, flush_ms="1000")), version)

    assert answer.responses[0].error_code == ErrorCode.NONE
    assert any(setting(exchange, topic, "flush.ms") == "1000" for _ in exchange.patience(3))
    require(setting(exchange, topic, "segment.bytes"), default, "segment.bytes, which was left out,")


@versions(0, 2)
def test_validation_changes_nothing(exchange: Exchange, version: int) -> None:
    """validate_only leaves the settings as they are."""
    topic = exchange.topic(segment_bytes="2000000")
    answer = exchange.ask("to validate only", request(resource(TOPIC, topic), validate_only=True), version)

    assert answer.responses[0].error_code == ErrorCode.NONE
    assert setting(exchange, topic, "segment.bytes") == "2000000"


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"no_such_key": "1"}, ErrorCode.INVALID_CONFIG),
        ({"retention_ms": "soon"}, ErrorCode.INVALID_CONFIG),
        ({"cleanup_policy": "shred"}, ErrorCode.INVALID_CONFIG),
        ({"retention_ms": None}, ErrorCode.INVALID_REQUEST),
        ({"retention_ms": "5000", "flush_ms": "never"}, ErrorCode.INVALID_CONFIG),
    ],
    ids=["unknown_key", "word_for_a_number", "no_policy", "null", "one_good_one_bad"],
)
@versions(0, 2)
def test_settings_that_cannot_be_are_refused(
    exchange: Exchange, version: int, settings: dict[str, str | None], code: ErrorCode
) -> None:
    """Unknown names, invalid values and null are refused, and then none of the settings is replaced."""
    words = ", ".join(f"{key.replace('_', '.')}={value}" for key, value in settings.items())
    topic = exchange.topic(segment_bytes="2000000")
    before = {key: setting(exchange, topic, key) for key in ("segment.bytes", "retention.ms", "flush.ms")}
    answer = exchange.ask(words, request(resource(TOPIC, topic, **settings)), version)

    assert answer.responses[0].error_code == code
    now = {key: setting(exchange, topic, key) for key in before}
    require(now, before, "the settings of a topic whose change was refused")


@versions(0, 2)
def test_an_unknown_topic_is_refused(exchange: Exchange, version: int) -> None:
    """A topic that does not exist is refused."""
    answer = exchange.ask(
        "a topic that is not there", request(resource(TOPIC, exchange.name("nowhere"), flush_ms="1000")), version
    )

    assert answer.responses[0].error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


@pytest.mark.parametrize("kind", [0, 1, 64])
def test_a_type_that_has_no_settings_is_refused(exchange: Exchange, kind: int) -> None:
    """A resource type that has no settings is refused."""
    answer = exchange.ask(f"a resource of type {kind}", request(resource(kind, "x", flush_ms="1000")), 2)

    assert answer.responses[0].error_code == ErrorCode.INVALID_REQUEST


@pytest.mark.parametrize("name", ["987654", "first"])
def test_another_broker_is_refused(exchange: Exchange, name: str) -> None:
    """A broker accepts changes of its own settings only."""
    change = request(resource(BROKER, name, log_retention_ms="5000"), validate_only=True)
    answer = exchange.ask(f"broker {name!r}", change, 2)

    assert answer.responses[0].error_code == ErrorCode.INVALID_REQUEST


def test_settings_of_a_group_are_taken(exchange: Exchange) -> None:
    """A request to replace a group's settings is accepted (validate_only)."""
    change = request(resource(GROUP, exchange.name("readers"), consumer_session_timeout_ms="50000"), validate_only=True)
    answer = exchange.ask("a group's session timeout", change, 2)

    assert answer.responses[0].error_code == ErrorCode.NONE


@versions(0, 2)
def test_no_resources_get_an_empty_answer(exchange: Exchange, version: int) -> None:
    """A request without resources is answered without resources."""
    assert exchange.ask("no resources", request(), version).responses == ()
