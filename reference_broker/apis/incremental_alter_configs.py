"""IncrementalAlterConfigs: set, delete, append to or subtract from single settings (KIP-339).

**Promises** All changes of a resource count together or not at all; they survive a restart and count at once.
**Refuses** Per resource: INVALID_REQUEST: resource twice, key twice, null value, unknown type, another broker's id, a
broker setting that is not dynamic or not valid; INVALID_CONFIG: unknown key or wrong value of a topic, group or client
metrics, append to what is no list, an unknown logger; UNKNOWN_TOPIC_OR_PARTITION; INVALID_TOPIC_EXCEPTION.
**Versions** 1 flexible.
**Departs from Kafka** An unknown operation on a topic is UNKNOWN_SERVER_ERROR at once; the active controller of 4.3.1
resigns first. BROKER_LOGGER: there are no named loggers, so that none exists.
alter.config.policy.class.name is not honoured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from reference_broker.apis import altered_resources
from reference_broker.apis.context import BrokerContext, ControllerContext
from reference_broker.controller.config_admin import Change
from reference_broker.controller.config_preprocessing import ConfigPreprocessing
from reference_broker.controller.decision import Decision
from reference_broker.metadata.image import MetadataImage
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from reference_broker.wire.messages.incremental_alter_configs_response import (
    AlterConfigsResourceResponse,
    IncrementalAlterConfigsResponse,
)

API: Final = ApiKey.INCREMENTAL_ALTER_CONFIGS
VERSIONS: Final = range(2)
LISTENERS: Final = ("broker", "controller")


def preprocess(request: IncrementalAlterConfigsRequest, ctx: BrokerContext) -> tuple[Any, Callable[[Any], Any]]:
    """What the broker that got the request refuses of it, before the controller is asked."""
    here = ConfigPreprocessing(ctx.image, ctx.config)
    return altered_resources.preprocess(
        request,
        lambda one: here.refusal_of_changes(one.resource_type, one.resource_name, _changes(one)),
        IncrementalAlterConfigsResponse,
        AlterConfigsResourceResponse,
    )


def handle(request: IncrementalAlterConfigsRequest, ctx: ControllerContext) -> Any:
    """Decide and commit."""
    return ctx.controller.submit(lambda image: _decide(request, image, ctx), ctx.now)


def _decide(request: IncrementalAlterConfigsRequest, image: MetadataImage, ctx: ControllerContext) -> Decision:
    configs = ctx.controller.configs(image)
    return altered_resources.decide(
        request,
        lambda one: configs.change(one.resource_type, one.resource_name, _changes(one)),
        IncrementalAlterConfigsResponse,
        AlterConfigsResourceResponse,
    )


def _changes(resource: AlterConfigsResource) -> list[Change]:
    return [(one.name, one.config_operation, one.value) for one in resource.configs]
