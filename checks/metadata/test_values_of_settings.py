"""Every setting of a topic, a node, a client's metrics and a group takes the values that it should, and no other.

**Claim** Each value of each setting that can be changed (its default, what is just valid, what just is not, what is of
another type) is taken, or refused with a reason.
**Why it matters** A limit that is taken without being one, or refused where Kafka takes it, shows in production first.
**Kafka says** Kafka documentation, "Broker Configs", "Topic Configs", "Group Configs"; KIP-226, KIP-339, KIP-1000.
**Cannot see** What a value does once it counts; settings that need a restart; several wrong settings at once; those of
listeners, whose refusals name the node's own ports.
**Rejects** tests/unit/harness/comparing/test_diff.py::test_a_wrong_error_code_is_a_difference
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.observation import Plain
from harness.comparing.request_forms import is_since
from harness.search.strategies.setting_values import BROKER, CLIENT_METRICS, GROUP, TOPIC, rows, values_of
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from reference_broker.wire.messages.metadata_request import MetadataRequest

pytestmark = pytest.mark.feature("IncrementalAlterConfigs")

OPERATIONS = {0: "set", 2: "append", 3: "subtract"}
REFUSALS = (ErrorCode.INVALID_CONFIG, ErrorCode.INVALID_REQUEST)
NAMES_UNKNOWN_SINCE = "4.3"
"""The release from which adding to a setting that nobody knows is no accident."""
EVERYWHERE = ""
"""The name of the resource whose settings all nodes have."""
NAMES_PORTS = ("listeners", "listener.security.protocol.map")
NODES = [
    name for name, row in rows(BROKER).items() if (row.is_changeable or row.is_per_node) and name not in NAMES_PORTS
]


def judged(exchange: Exchange, kind: int, resource: str, change: AlterableConfig) -> list[Plain]:
    """[error code, words] of a change that is only validated."""
    asked = AlterConfigsResource(resource_type=kind, resource_name=resource, configs=(change,))
    answer = exchange.quietly(IncrementalAlterConfigsRequest(resources=(asked,), validate_only=True), 1)
    return [answer.responses[0].error_code, answer.responses[0].error_message]


def try_all(exchange: Exchange, kind: int, resource: str, setting: str) -> None:
    """Tries every value with every operation that takes one; notes the answers, and wants a reason for a refusal."""
    accidents = () if is_since(exchange, NAMES_UNKNOWN_SINCE) else (ErrorCode.UNKNOWN_SERVER_ERROR,)
    for operation, words in OPERATIONS.items():
        told = {
            str(value): judged(
                exchange, kind, resource, AlterableConfig(name=setting, config_operation=operation, value=value)
            )
            for value in values_of(rows(kind)[setting])
        }
        exchange.note(f"{words} {setting}", told)
        for value, (code, reason) in told.items():
            is_told = code in REFUSALS and reason
            assert code == ErrorCode.NONE or is_told or code in accidents, (
                f"{words} {setting} {value!r}: {code} {reason}"
            )


@pytest.mark.parametrize("setting", rows(TOPIC))
def test_values_of_a_topics_setting(exchange: Exchange, setting: str) -> None:
    """A topic's setting takes what it may be, and a refusal says why."""
    try_all(exchange, TOPIC, exchange.topic(), setting)


@pytest.mark.parametrize("setting", rows(GROUP))
def test_values_of_a_groups_setting(exchange: Exchange, setting: str) -> None:
    """A group's setting takes what it may be, and a refusal says why."""
    try_all(exchange, GROUP, exchange.name("billing"), setting)


@pytest.mark.parametrize("setting", rows(CLIENT_METRICS))
def test_values_of_a_setting_of_clients_metrics(exchange: Exchange, setting: str) -> None:
    """A subscription to clients' metrics takes what it may be, and a refusal says why."""
    try_all(exchange, CLIENT_METRICS, exchange.name("latencies"), setting)


@pytest.mark.parametrize("setting", NODES)
def test_values_of_a_nodes_setting(exchange: Exchange, setting: str) -> None:
    """A node's setting takes what it may be while the node runs, and a refusal says why."""
    node = exchange.quietly(MetadataRequest(topics=(), allow_auto_topic_creation=False)).brokers[0].node_id
    try_all(exchange, BROKER, str(node), setting)


@pytest.mark.parametrize("setting", NODES)
def test_values_of_a_setting_of_all_nodes(exchange: Exchange, setting: str) -> None:
    """A setting of all nodes takes what it may be while they run, and a refusal says why."""
    try_all(exchange, BROKER, EVERYWHERE, setting)
