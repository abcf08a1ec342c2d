"""ListConfigResources (key 74) tells which resources can have settings.

**Claim** Topics and brokers are listed, and the groups and client metrics that have settings; types that a version does
not list are refused.
**Why it matters** Tools that copy settings from one cluster to another start here.
**Kafka says** Protocol guide, ListConfigResources; KIP-1142, KIP-714 (version 0, client metrics alone).
**Cannot see** Resources of other checks: answers are compared for this check's own.
**Rejects** tests/unit/harness/comparing/test_diff.py::test_an_element_that_only_one_side_has_is_named
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import is_since, versions
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from reference_broker.wire.messages.list_config_resources_request import ListConfigResourcesRequest
from reference_broker.wire.messages.list_config_resources_response import ListConfigResourcesResponse

pytestmark = pytest.mark.feature("ListConfigResources")

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
    """A topic, a group and a subscription that have settings, which go again."""
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

    assert {(TOPIC, topic), (GROUP, group), (CLIENT_METRICS, metrics)} <= names(answer)
    assert {BROKER, LOGGER} <= {kind for kind, _ in names(answer)}


@pytest.mark.parametrize("kind", [TOPIC, BROKER, LOGGER, CLIENT_METRICS, GROUP])
@pytest.mark.usefixtures("configured")
def test_one_type_is_listed(exchange: Exchange, kind: int) -> None:
    """Resources of the types that are named are listed, no others."""
    answer = exchange.ask(f"type {kind}", ListConfigResourcesRequest(resource_types=(kind,)), 1)

    assert {found for found, _ in names(answer)} == {kind}


@pytest.mark.usefixtures("configured")
def test_version_0_lists_client_metrics(exchange: Exchange) -> None:
    """Version 0 knows client metrics alone."""
    answer = exchange.ask("all", ListConfigResourcesRequest(), 0)

    assert answer.error_code == ErrorCode.NONE


@pytest.mark.parametrize("kind", [0, 1, 64, -1])
def test_a_type_that_is_not_listed_is_refused(exchange: Exchange, kind: int) -> None:
    """A type that has no settings cannot be listed."""
    answer = exchange.ask(f"type {kind}", ListConfigResourcesRequest(resource_types=(TOPIC, kind)), 1)

    assert answer.error_code == ErrorCode.UNSUPPORTED_VERSION


@versions(1)
def test_a_type_named_twice_is_listed_once(exchange: Exchange, version: int) -> None:
    """Types are a set."""
    topic = exchange.topic()
    answer = exchange.ask("topics twice", ListConfigResourcesRequest(resource_types=(TOPIC, TOPIC)), version)

    assert [one.resource_name for one in answer.config_resources].count(topic) == 1
