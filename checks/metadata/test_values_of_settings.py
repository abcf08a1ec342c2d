"""Every setting of topics, brokers, client metrics and groups refuses the values that the documentation excludes.

**Claim** A setting that can be changed refuses null, a value of another type and a value outside its documented range.
A setting that is not a list refuses appending and subtracting. Each refusal has an error message. A setting of a topic,
of a group, of client metrics or of all brokers accepts its own default.
**Why it matters** If a wrong value is accepted, or a valid one refused, this is noticed only in production.
**Kafka says** Kafka documentation, "Broker Configs", "Topic Configs", "Group Configs"; KIP-226, KIP-339, KIP-1000.
**Cannot see** Ranges of releases before 4.3, and settings that a release does not describe: for these only the error
messages are required. The effect of a value; settings that need a restart; several wrong settings at once; settings of
listeners, whose error messages contain the node's own ports; limits that depend on other settings (these answers are
compared, not judged).
**Rejects** tests/plants/takes_any_value_of_a_setting.py, tests/plants/appends_to_what_is_no_list.py
"""

from __future__ import annotations

import re

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.observation import Plain
from harness.comparing.request_forms import is_since
from harness.search.strategies.setting_values import BROKER, CLIENT_METRICS, GROUP, TOPIC, Row, rows, values_of
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)

pytestmark = [
    pytest.mark.feature("IncrementalAlterConfigs"),
    pytest.mark.kip(226, 339, 1000),
    pytest.mark.document("Kafka documentation, Broker Configs", "https://kafka.apache.org/documentation/"),
    pytest.mark.document("Kafka documentation, Topic Configs", "https://kafka.apache.org/documentation/"),
    pytest.mark.document("Kafka documentation, Group Configs", "https://kafka.apache.org/documentation/"),
]

SET = 0
OPERATIONS = {SET: "set", 2: "append", 3: "subtract"}
REFUSALS = (ErrorCode.INVALID_CONFIG, ErrorCode.INVALID_REQUEST)
NAMES_UNKNOWN_SINCE = "4.3"
"""The release from which appending to an unknown setting no longer fails by accident (UNKNOWN_SERVER_ERROR)."""
EVERYWHERE = ""
"""The name of the broker resource whose settings apply to all brokers."""
WHOLE_NUMBER = re.compile(r"-?\d+")
NO_DECIMALS = ("", "x")
NAMES_PORTS = ("listeners", "listener.security.protocol.map")
NODES = [
    name for name, row in rows(BROKER).items() if (row.is_changeable or row.is_per_node) and name not in NAMES_PORTS
]


def judged(exchange: Exchange, kind: int, resource: str, change: AlterableConfig) -> list[Plain]:
    """[error code, error message] for a change that is only validated."""
    asked = AlterConfigsResource(resource_type=kind, resource_name=resource, configs=(change,))
    answer = exchange.quietly(IncrementalAlterConfigsRequest(resources=(asked,), validate_only=True), 1)
    return [answer.responses[0].error_code, answer.responses[0].error_message]


def is_told(exchange: Exchange, kind: int, resource: str, setting: str) -> bool:
    """Whether the release describes a setting: a broker accepts any text for settings that it does not know, for its
    plugins.
    """
    name = str(exchange.broker()) if kind == BROKER else resource
    asked = DescribeConfigsResource(resource_type=kind, resource_name=name, configuration_keys=(setting,))
    answer = exchange.quietly(DescribeConfigsRequest(resources=(asked,)), 4)
    return any(one.name == setting for one in answer.results[0].configs)


def is_documented(row: Row, value: str | None, *, with_ranges: bool) -> bool:
    """Whether a value is of the setting's type, and within its range in the documentation of 4.3."""
    if value is None:
        return False
    if row.limits is not None:
        low, high = row.limits
        is_whole = WHOLE_NUMBER.fullmatch(value.strip()) is not None
        return is_whole and (not with_ranges or low <= int(value) <= high or (row.may_be_minus_one and value == "-1"))
    if row.kind == "DOUBLE":
        return value not in NO_DECIMALS
    if row.kind == "BOOLEAN":
        return value.strip().lower() in ("true", "false")
    is_free = row.kind != "STRING" or not row.words or any(":" in word for word in row.words)
    return is_free or not with_ranges or value in row.words


def must_take_default(kind: int, resource: str, row: Row) -> bool:
    """Whether the resource must accept the setting's own default: a broker's may be per listener, or only for all
    brokers."""
    return row.default is not None and (kind != BROKER or (resource == EVERYWHERE and row.is_changeable))


def try_all(exchange: Exchange, kind: int, resource: str, setting: str) -> None:
    """Tries every value with every operation that has a value, and notes the answers.

    Raises AssertionError if an invalid value is accepted, the default is refused, or a refusal has no error message.
    """
    row = rows(kind)[setting]
    is_recent, is_known = is_since(exchange, NAMES_UNKNOWN_SINCE), is_told(exchange, kind, resource, setting)
    accidents = () if is_recent else (ErrorCode.UNKNOWN_SERVER_ERROR,)
    for operation, words in OPERATIONS.items():
        told = {
            str(value): judged(
                exchange, kind, resource, AlterableConfig(name=setting, config_operation=operation, value=value)
            )
            for value in values_of(row)
        }
        exchange.note(f"{words} {setting}", told)
        for value in values_of(row):
            code, reason = told[str(value)]
            tried = f"{words} {setting} {value!r}"
            has_reason = code in REFUSALS and reason
            assert code == ErrorCode.NONE or has_reason or code in accidents, f"{tried}: {code} {reason}"
            if operation == SET:
                may_be = is_documented(row, value, with_ranges=is_recent)
            else:
                may_be = row.kind == "LIST" and value is not None
            assert may_be or not is_known or code != ErrorCode.NONE, f"{tried}: taken, though it cannot be"
        if operation == SET and is_known and must_take_default(kind, resource, row):
            code, reason = told[str(row.default)]
            assert code == ErrorCode.NONE, f"{words} {setting} {row.default!r}, its default: {code} {reason}"


@pytest.mark.parametrize("setting", rows(TOPIC))
def test_values_of_a_topics_setting(exchange: Exchange, setting: str) -> None:
    """A topic's setting refuses invalid values with an error message, and accepts its default."""
    try_all(exchange, TOPIC, exchange.topic(), setting)


@pytest.mark.parametrize("setting", rows(GROUP))
def test_values_of_a_groups_setting(exchange: Exchange, setting: str) -> None:
    """A group's setting refuses invalid values with an error message, and accepts its default."""
    try_all(exchange, GROUP, exchange.name("billing"), setting)


@pytest.mark.parametrize("setting", rows(CLIENT_METRICS))
def test_values_of_a_setting_of_clients_metrics(exchange: Exchange, setting: str) -> None:
    """A setting of client metrics refuses invalid values with an error message, and accepts its default."""
    try_all(exchange, CLIENT_METRICS, exchange.name("latencies"), setting)


@pytest.mark.parametrize("setting", NODES)
def test_values_of_a_nodes_setting(exchange: Exchange, setting: str) -> None:
    """A setting of one broker refuses invalid values with an error message."""
    try_all(exchange, BROKER, str(exchange.broker()), setting)


@pytest.mark.parametrize("setting", NODES)
def test_values_of_a_setting_of_all_nodes(exchange: Exchange, setting: str) -> None:
    """A setting of all brokers refuses invalid values with an error message, and accepts its default."""
    try_all(exchange, BROKER, EVERYWHERE, setting)
