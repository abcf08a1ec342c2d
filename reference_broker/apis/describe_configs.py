"""DescribeConfigs: the settings of topics, this broker, all brokers, groups and client metrics subscriptions.

**Promises** Every setting with its value, its source, and where asked its synonyms in the order in which they count.
Secrets are null.
**Refuses** Per resource: UNKNOWN_TOPIC_OR_PARTITION; INVALID_TOPIC_EXCEPTION; INVALID_REQUEST: another broker's id, no
name where one is needed. For all: INVALID_REQUEST: one is of an unknown type.
**Versions** 1 synonyms and sources; 3 types and documentation; 4 flexible.
**Departs from Kafka** Documentation is null: the text is Kafka's. BROKER_LOGGER has no entries. An unknown type is
refused in our words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reference_broker.apis.context import Context
from reference_broker.controller.config_admin import BROKER_LOGGER
from reference_broker.controller.config_description import ConfigDescriptions, Entry
from reference_broker.metadata.image import BROKER, CLIENT_METRICS, GROUP, TOPIC
from reference_broker.metadata.topic_names import reason_invalid
from reference_broker.releases.behaviours import Behaviour
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource
from reference_broker.wire.messages.describe_configs_response import (
    DescribeConfigsResourceResult,
    DescribeConfigsResponse,
    DescribeConfigsResult,
    DescribeConfigsSynonym,
)
from reference_broker.wire.refusal import KafkaError

API: Final = ApiKey.DESCRIBE_CONFIGS
VERSIONS: Final = range(1, 5)
LISTENERS: Final = ("broker", "controller")


def handle(request: DescribeConfigsRequest, ctx: Context) -> DescribeConfigsResponse:
    """Answer each resource by itself, unless one is of an unknown type."""
    for resource in request.resources:
        if resource.resource_type not in (TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP):
            text = f"Unexpected resource type UNKNOWN for resource {resource.resource_name}"
            raise KafkaError(ErrorCode.INVALID_REQUEST, text)
    results = []
    for resource in request.resources:
        try:
            entries = _entries(resource, ctx)
        except KafkaError as error:
            results.append(_refused(resource, error.code, error.detail))
            continue
        wanted = resource.configuration_keys
        if resource.resource_type == CLIENT_METRICS and not ctx.release.does(Behaviour.KAFKA_17516_METRICS_DEFAULTS):
            wanted = None
        results.append(
            DescribeConfigsResult(
                resource_type=resource.resource_type,
                resource_name=resource.resource_name,
                configs=tuple(
                    _result(entry, with_synonyms=request.include_synonyms)
                    for entry in entries
                    if not wanted or entry.name in wanted
                ),
            )
        )
    return DescribeConfigsResponse(results=tuple(results))


def _entries(resource: DescribeConfigsResource, ctx: Context) -> Sequence[Entry]:
    descriptions, name = ConfigDescriptions(ctx.image, ctx.settings), resource.resource_name
    if resource.resource_type == TOPIC:
        if reason := reason_invalid(name):
            raise KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION, reason)
        if name not in ctx.image.topics:
            raise KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "")
        return descriptions.topic_entries(ctx.image.config(TOPIC, name))
    if resource.resource_type == BROKER:
        if not name:
            return descriptions.default_broker_entries()
        _check_broker(name, ctx, " or empty string,")
        return descriptions.broker_entries()
    if resource.resource_type == BROKER_LOGGER:
        if not name:
            raise KafkaError(ErrorCode.INVALID_REQUEST, "Broker id must not be empty")
        _check_broker(name, ctx, "")
        return ()
    if resource.resource_type == CLIENT_METRICS:
        if not name:
            raise KafkaError(ErrorCode.INVALID_REQUEST, "Client metrics subscription name must not be empty")
        return descriptions.client_metrics_entries(name)
    if not name:
        raise KafkaError(ErrorCode.INVALID_REQUEST, "Group name must not be empty")
    return descriptions.group_entries(name)


def _check_broker(name: str, ctx: Context, alternative: str) -> None:
    node_id = ctx.node_id
    try:
        number = int(name)
    except ValueError:
        text = f"Broker id must be an integer, but it is: {name}"
        raise KafkaError(ErrorCode.INVALID_REQUEST, text) from None
    if number != node_id:
        text = f"Unexpected broker id, expected {node_id}{alternative} but received {name}"
        raise KafkaError(ErrorCode.INVALID_REQUEST, text)


def _result(entry: Entry, *, with_synonyms: bool) -> DescribeConfigsResourceResult:
    synonyms = tuple(
        DescribeConfigsSynonym(name=one.name, value=one.value, source=one.source) for one in entry.synonyms
    )
    return DescribeConfigsResourceResult(
        name=entry.name,
        value=entry.value,
        read_only=entry.is_read_only,
        config_source=entry.source,
        is_sensitive=entry.is_sensitive,
        synonyms=synonyms if with_synonyms else (),
        config_type=entry.type,
        documentation=None,
    )


def _refused(resource: DescribeConfigsResource, code: ErrorCode, text: str | None) -> DescribeConfigsResult:
    return DescribeConfigsResult(
        error_code=code,
        error_message=text,
        resource_type=resource.resource_type,
        resource_name=resource.resource_name,
    )
