"""ListConfigResources: which resources can have configurations (KIP-1142; ListClientMetricsResources before).

**Promises** Topics and brokers that are there, groups and client metrics subscriptions that have settings.
**Refuses** UNSUPPORTED_VERSION: a type that the version does not list.
**Versions** 0 client metrics only; 1 the types asked for, all where none is.
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from typing import Final

from reference_broker.apis.context import BrokerContext
from reference_broker.controller.config_admin import BROKER_LOGGER
from reference_broker.metadata.image import BROKER, CLIENT_METRICS, GROUP, TOPIC
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.list_config_resources_request import ListConfigResourcesRequest
from reference_broker.wire.messages.list_config_resources_response import ConfigResource, ListConfigResourcesResponse

API: Final = ApiKey.LIST_CONFIG_RESOURCES
VERSIONS: Final = range(2)
LISTENERS: Final = ("broker",)

SUPPORTED: Final = {0: (CLIENT_METRICS,), 1: (GROUP, CLIENT_METRICS, BROKER_LOGGER, BROKER, TOPIC)}


def handle(request: ListConfigResourcesRequest, ctx: BrokerContext) -> ListConfigResourcesResponse:
    """List by type: groups, subscriptions, loggers, brokers, topics."""
    supported = SUPPORTED[ctx.api_version]
    asked = request.resource_types or supported
    if any(one not in supported for one in asked):
        return ListConfigResourcesResponse(error_code=ErrorCode.UNSUPPORTED_VERSION)
    image = ctx.image
    configured = [resource for resource in image.configs if resource[0] in (GROUP, CLIENT_METRICS)]
    brokers = [str(one) for one, broker in sorted(image.brokers.items()) if broker.endpoint(ctx.listener) is not None]
    names = {
        GROUP: [name for resource_type, name in configured if resource_type == GROUP],
        CLIENT_METRICS: [name for resource_type, name in configured if resource_type == CLIENT_METRICS],
        BROKER_LOGGER: brokers,
        BROKER: brokers,
        TOPIC: [topic.name for topic in image.topics],
    }
    return ListConfigResourcesResponse(
        config_resources=tuple(
            ConfigResource(resource_name=name, resource_type=resource_type)
            for resource_type in supported
            if resource_type in asked
            for name in names[resource_type]
        )
    )
