"""IncrementalAlterConfigs: set, delete, append to or subtract from single settings (KIP-339).

**Promises** All changes of a resource count together or not at all; they survive a restart and count at once.
**Refuses** Per resource: INVALID_REQUEST: resource twice, key twice, null value, unknown type, another broker's id, a
broker setting that is not dynamic or not valid; INVALID_CONFIG: unknown key or wrong value of a topic, group or client
metrics, append to what is no list; UNKNOWN_TOPIC_OR_PARTITION; INVALID_TOPIC_EXCEPTION.
**Versions** 1 flexible.
**Departs from Kafka** An unknown operation on a topic is UNKNOWN_SERVER_ERROR at once; the active controller of 4.3.1
resigns first. BROKER_LOGGER: there are no named loggers, each change is refused with INVALID_REQUEST.
alter.config.policy.class.name is not honoured.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from reference_broker.apis.context import ControllerContext
from reference_broker.controller.decision import Decision, Refusal
from reference_broker.metadata.image import MetadataImage
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.incremental_alter_configs_request import IncrementalAlterConfigsRequest
from reference_broker.wire.messages.incremental_alter_configs_response import (
    AlterConfigsResourceResponse,
    IncrementalAlterConfigsResponse,
)
from reference_broker.wire.metadata_records import VersionedRecord

API: Final = ApiKey.INCREMENTAL_ALTER_CONFIGS
VERSIONS: Final = range(2)
LISTENERS: Final = ("broker", "controller")


def handle(request: IncrementalAlterConfigsRequest, ctx: ControllerContext) -> IncrementalAlterConfigsResponse:
    """Decide and commit."""
    response: IncrementalAlterConfigsResponse = ctx.controller.submit(
        lambda image: _decide(request, image, ctx), ctx.now
    )
    return response


def _decide(request: IncrementalAlterConfigsRequest, image: MetadataImage, ctx: ControllerContext) -> Decision:
    counts = Counter((one.resource_type, one.resource_name) for one in request.resources)
    records: list[VersionedRecord] = []
    results: list[AlterConfigsResourceResponse] = []
    for resource in request.resources:
        refusal: Refusal | None = Refusal(ErrorCode.INVALID_REQUEST, "Each resource must appear at most once.")
        if counts[resource.resource_type, resource.resource_name] == 1:
            changes = [(one.name, one.config_operation, one.value) for one in resource.configs]
            configs = ctx.controller.configs(image)
            made, refusal = configs.change(resource.resource_type, resource.resource_name, changes)
            records += made
        results.append(
            AlterConfigsResourceResponse(
                error_code=ErrorCode.NONE if refusal is None else refusal.code,
                error_message=None if refusal is None else refusal.text,
                resource_type=resource.resource_type,
                resource_name=resource.resource_name,
            )
        )
    response = IncrementalAlterConfigsResponse(responses=tuple(results))
    return Decision(() if request.validate_only else tuple(records), response)
