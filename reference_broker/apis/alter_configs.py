"""AlterConfigs: replace all settings of a resource. Superseded by IncrementalAlterConfigs, still served.

**Promises** What is named is set, what is not goes back to its default, all of a resource together.
**Refuses** Per resource, as IncrementalAlterConfigs does: INVALID_REQUEST: resource twice, key twice, null value,
unknown type, another broker's id, a broker setting that is not dynamic or not valid; INVALID_CONFIG: unknown key or
wrong value of a topic, group or client metrics; UNKNOWN_TOPIC_OR_PARTITION.
**Versions** 2 flexible.
**Departs from Kafka** alter.config.policy.class.name is not honoured. A resource named twice is answered
INVALID_REQUEST; 4.3.1 means to, trips, and never answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from reference_broker.apis import altered_resources
from reference_broker.apis.context import BrokerContext, ControllerContext
from reference_broker.controller.config_preprocessing import ConfigPreprocessing
from reference_broker.controller.decision import Decision
from reference_broker.metadata.image import MetadataImage
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.alter_configs_request import AlterConfigsRequest, AlterConfigsResource
from reference_broker.wire.messages.alter_configs_response import AlterConfigsResourceResponse, AlterConfigsResponse

API: Final = ApiKey.ALTER_CONFIGS
VERSIONS: Final = range(3)
LISTENERS: Final = ("broker", "controller")


def preprocess(request: AlterConfigsRequest, ctx: BrokerContext) -> tuple[Any, Callable[[Any], Any]]:
    """What the broker that got the request refuses of it, before the controller is asked."""
    here = ConfigPreprocessing(ctx.image, ctx.config)
    return altered_resources.preprocess(
        request,
        lambda one: here.refusal_of_settings(one.resource_type, one.resource_name, _settings(one)),
        AlterConfigsResponse,
        AlterConfigsResourceResponse,
    )


def handle(request: AlterConfigsRequest, ctx: ControllerContext) -> Any:
    """Decide and commit."""
    return ctx.controller.submit(lambda image: _decide(request, image, ctx), ctx.now)


def _decide(request: AlterConfigsRequest, image: MetadataImage, ctx: ControllerContext) -> Decision:
    configs = ctx.controller.configs(image)
    return altered_resources.decide(
        request,
        lambda one: configs.replace(one.resource_type, one.resource_name, _settings(one)),
        AlterConfigsResponse,
        AlterConfigsResourceResponse,
    )


def _settings(resource: AlterConfigsResource) -> list[tuple[str, str | None]]:
    return [(one.name, one.value) for one in resource.configs]
