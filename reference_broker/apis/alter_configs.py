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

from collections import Counter
from typing import Final

from reference_broker.apis.context import ControllerContext
from reference_broker.controller.decision import Decision, Refusal
from reference_broker.metadata.image import MetadataImage
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_configs_request import AlterConfigsRequest
from reference_broker.wire.messages.alter_configs_response import AlterConfigsResourceResponse, AlterConfigsResponse
from reference_broker.wire.metadata_records import VersionedRecord

API: Final = ApiKey.ALTER_CONFIGS
VERSIONS: Final = range(3)
LISTENERS: Final = ("broker", "controller")


def handle(request: AlterConfigsRequest, ctx: ControllerContext) -> AlterConfigsResponse:
    """Decide and commit."""
    response: AlterConfigsResponse = ctx.controller.submit(lambda image: _decide(request, image, ctx), ctx.now)
    return response


def _decide(request: AlterConfigsRequest, image: MetadataImage, ctx: ControllerContext) -> Decision:
    counts = Counter((one.resource_type, one.resource_name) for one in request.resources)
    records: list[VersionedRecord] = []
    results: list[AlterConfigsResourceResponse] = []
    for resource in request.resources:
        refusal: Refusal | None = Refusal(ErrorCode.INVALID_REQUEST, "Each resource must appear at most once.")
        if counts[resource.resource_type, resource.resource_name] == 1:
            settings = [(one.name, one.value) for one in resource.configs]
            made, refusal = ctx.controller.configs(image).replace(
                resource.resource_type, resource.resource_name, settings
            )
            records += made
        results.append(
            AlterConfigsResourceResponse(
                error_code=ErrorCode.NONE if refusal is None else refusal.code,
                error_message=None if refusal is None else refusal.text,
                resource_type=resource.resource_type,
                resource_name=resource.resource_name,
            )
        )
    return Decision(() if request.validate_only else tuple(records), AlterConfigsResponse(responses=tuple(results)))
