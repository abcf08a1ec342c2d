"""ListConfigResources (key 74) tells which resources can have settings.

**Claim** Topics and brokers are listed, and the groups and client metrics that have settings; types that a version does
not list are refused.
**Why it matters** Tools that copy settings from one cluster to another start here.
**Kafka says** Protocol guide, ListConfigResources; KIP-1142, KIP-714 (version 0, client metrics alone).
**Cannot see** Resources of other checks: answers are compared for this check's own.
**Rejects** tests/unit/harness/test_diff.py::test_an_element_that_only_one_side_has_is_named
"""

from __future__ import annotations

import pytest

from harness.exchange import Exchange
from harness.request_forms import versions
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


def configured(exchange: Exchange) -> tuple[str, str, str]:
    """A topic, a group and a subscription that have settings."""
    topic, group, metrics = exchange.topic(), exchange.name("readers"), exchange.name("metrics")
    for kind, name, key, value in (
        (GROUP, group, "consumer.session.timeout.ms", "50000"),
        (CLIENT_METRICS, metrics, "interval.ms", "1000"),
    ):
        change = AlterConfigsResource(
            resource_type=kind, resource_name=name, configs=(AlterableConfig(name=key, value=value),)
        )
        exchange.quietly(IncrementalAlterConfigsRequest(resources=(change,)))
    for _ in exchange.patience(3):
        listed = names(exchange.quietly(ListConfigResourcesRequest(), 1))
        if {(GROUP, group), (CLIENT_METRICS, metrics)} <= listed:
            break
    return topic, group, metrics


def names(answer: ListConfigResourcesResponse) -> set[tuple[int, str]]:
    return {(one.resource_type, one.resource_name) for one in answer.config_resources}


def test_all_resources_are_listed(exchange: Exchange) -> None:
    """Without types all resources are listed."""
    topic, group, metrics = configured(exchange)
    answer = exchange.ask("all types", ListConfigResourcesRequest(), 1)

    assert {(TOPIC, topic), (GROUP, group), (CLIENT_METRICS, metrics)} <= names(answer)
    assert {BROKER, LOGGER} <= {kind for kind, _ in names(answer)}


@pytest.mark.parametrize("kind", [TOPIC, BROKER, LOGGER, CLIENT_METRICS, GROUP])
def test_one_type_is_listed(exchange: Exchange, kind: int) -> None:
    """Resources of the types that are named are listed, no others."""
    configured(exchange)
    answer = exchange.ask(f"type {kind}", ListConfigResourcesRequest(resource_types=(kind,)), 1)

    assert {found for found, _ in names(answer)} == {kind}


def test_version_0_lists_client_metrics(exchange: Exchange) -> None:
    """Version 0 knows client metrics alone."""
    configured(exchange)
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
