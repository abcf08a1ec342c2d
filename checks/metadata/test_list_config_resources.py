"""ListConfigResources (key 74) lists the resources that can have settings.

**Claim** All topics and brokers are listed, and the groups and client metrics that have settings of their own, as long
as they have them. If the request names types, only resources of these types are listed. Types that a version cannot
list are refused.
**Why it matters** Tools that copy settings from one cluster to another start here.
**Kafka says** Protocol guide, ListConfigResources; KIP-1142, KIP-714 (version 0, client metrics only).
**Cannot see** Resources of other checks: only the resources of this check are compared.
**Rejects** tests/plants/lists_resources_of_other_types.py, tests/plants/lists_resources_without_settings.py
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import is_since, versions
from harness.judging.outcome import BrokenPromise
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from reference_broker.wire.messages.list_config_resources_request import ListConfigResourcesRequest
from reference_broker.wire.messages.list_config_resources_response import ListConfigResourcesResponse
from reference_broker.wire.messages.metadata_request import MetadataRequest

pytestmark = [
    pytest.mark.feature("ListConfigResources"),
    pytest.mark.kip(1142, 714),
    pytest.mark.document(
        "Protocol guide, ListConfigResources", "https://kafka.apache.org/protocol.html#The_Messages_ListConfigResources"
    ),
]

TOPIC, BROKER, LOGGER, CLIENT_METRICS, GROUP = 2, 4, 8, 16, 32
SET, DELETE = 0, 1
Configured = tuple[str, str, str]


def altered(exchange: Exchange, kind: int, name: str, key: str, operation: int, value: str | None) -> None:
    change = AlterConfigsResource(
        resource_type=kind,
        resource_name=name,
        configs=(AlterableConfig(name=key, config_operation=operation, value=value),),
    )
    exchange.quietly(IncrementalAlterConfigsRequest(resources=(change,)))


@pytest.fixture
def configured(exchange: Exchange) -> Iterator[Configured]:
    """A topic, and a group and a client metrics subscription with settings, which are deleted at the end."""
    topic, group, metrics = exchange.topic(), exchange.name("readers"), exchange.name("metrics")
    altered(exchange, GROUP, group, "consumer.session.timeout.ms", SET, "50000")
    altered(exchange, CLIENT_METRICS, metrics, "interval.ms", SET, "1000")
    wanted = {(GROUP, group), (CLIENT_METRICS, metrics)} if is_since(exchange, "4.1") else {(CLIENT_METRICS, metrics)}
    for _ in exchange.patience(3):
        if wanted <= names(exchange.quietly(ListConfigResourcesRequest())):
            break
    yield topic, group, metrics
    altered(exchange, GROUP, group, "consumer.session.timeout.ms", DELETE, None)
    altered(exchange, CLIENT_METRICS, metrics, "interval.ms", DELETE, None)


def names(answer: ListConfigResourcesResponse) -> set[tuple[int, str]]:
    return {(one.resource_type, one.resource_name) for one in answer.config_resources}


def test_all_resources_are_listed(exchange: Exchange, configured: Configured) -> None:
    """Without types all resources are listed."""
    topic, group, metrics = configured
    answer = exchange.ask("all types", ListConfigResourcesRequest(), 1)

    assert answer.error_code == ErrorCode.NONE
    assert {(TOPIC, topic), (GROUP, group), (CLIENT_METRICS, metrics)} <= names(answer)
    assert {(kind, name) for kind in (BROKER, LOGGER) for name in brokers(exchange)} <= names(answer)


def brokers(exchange: Exchange) -> list[str]:
    """The ids of the brokers, as names of resources."""
    found = exchange.quietly(MetadataRequest(topics=(), allow_auto_topic_creation=False)).brokers
    return [str(one.node_id) for one in found]


@pytest.mark.parametrize("kind", [TOPIC, BROKER, LOGGER, CLIENT_METRICS, GROUP])
def test_one_type_is_listed(exchange: Exchange, configured: Configured, kind: int) -> None:
    """If the request names a type, only resources of this type are listed."""
    topic, group, metrics = configured
    answer = exchange.ask(f"type {kind}", ListConfigResourcesRequest(resource_types=(kind,)), 1)

    assert {found for found, _ in names(answer)} == {kind}
    there = {TOPIC: [topic], GROUP: [group], CLIENT_METRICS: [metrics]}.get(kind) or brokers(exchange)
    assert {(kind, name) for name in there} <= names(answer)


def test_version_0_lists_client_metrics(exchange: Exchange, configured: Configured) -> None:
    """Version 0 lists only client metrics."""
    topic, group, metrics = configured
    answer = exchange.ask("all", ListConfigResourcesRequest(), 0)

    assert answer.error_code == ErrorCode.NONE
    listed = [one.resource_name for one in answer.config_resources]
    assert (metrics in listed, topic in listed, group in listed) == (True, False, False)


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        (GROUP, "consumer.session.timeout.ms", "50000"),
        (CLIENT_METRICS, "interval.ms", "1000"),
    ],
    ids=["group", "client_metrics"],
)
def test_what_has_no_settings_any_more_is_not_listed(exchange: Exchange, kind: int, key: str, value: str) -> None:
    """A group or subscription whose last setting was deleted is no longer listed."""
    if kind == GROUP and not is_since(exchange, "4.1"):
        pytest.skip("groups are listed since 4.1 (KIP-1142)")
    name = exchange.name("once")
    altered(exchange, kind, name, key, SET, value)
    if not any((kind, name) in listed(exchange, kind) for _ in exchange.patience(3)):
        raise BrokenPromise(f"{name} has settings, and is not listed.", promise="what has settings is listed")
    altered(exchange, kind, name, key, DELETE, None)

    is_gone = any((kind, name) not in listed(exchange, kind) for _ in exchange.patience(3))
    assert is_gone, f"{name} has no settings any more, and is still listed"


def listed(exchange: Exchange, kind: int) -> set[tuple[int, str]]:
    """The listed resources of a type; client metrics in version 0, which every release has."""
    if kind == CLIENT_METRICS:
        return names(exchange.quietly(ListConfigResourcesRequest(), 0))
    return names(exchange.quietly(ListConfigResourcesRequest(resource_types=(kind,)), 1))


@pytest.mark.parametrize("kind", [0, 1, 64, -1])
def test_a_type_that_is_not_listed_is_refused(exchange: Exchange, kind: int) -> None:
    """A request for a type that has no settings is refused."""
    answer = exchange.ask(f"type {kind}", ListConfigResourcesRequest(resource_types=(TOPIC, kind)), 1)

    assert (answer.error_code, answer.config_resources) == (ErrorCode.UNSUPPORTED_VERSION, ())


@versions(1)
def test_a_type_named_twice_is_listed_once(exchange: Exchange, version: int) -> None:
    """If a request names a type twice, its resources are listed once."""
    topic = exchange.topic()
    answer = exchange.ask("topics twice", ListConfigResourcesRequest(resource_types=(TOPIC, TOPIC)), version)

    assert [one.resource_name for one in answer.config_resources].count(topic) == 1
