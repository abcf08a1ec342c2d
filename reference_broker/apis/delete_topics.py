"""DeleteTopics: topics go, by name or by id, with their records and configurations.

**Promises** A deleted topic is unknown to every later request; its name may be used again at once.
**Refuses** TOPIC_DELETION_DISABLED (INVALID_REQUEST below version 3): delete.topic.enable is false. Per topic:
UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, INVALID_REQUEST: named twice, or by name and id, or by neither.
REQUEST_TIMED_OUT for all: timeout_ms is not above 0.
**Versions** 1 throttle time; 5 error messages; 6 topic ids.
**Departs from Kafka** Answers stand in the order of the request, not shuffled.
"""

from __future__ import annotations

from typing import Final

from reference_broker.apis.context import ControllerContext
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest
from reference_broker.wire.messages.delete_topics_response import DeleteTopicsResponse

API: Final = ApiKey.DELETE_TOPICS
VERSIONS: Final = range(1, 7)
LISTENERS: Final = ("broker", "controller")


def handle(request: DeleteTopicsRequest, ctx: ControllerContext) -> DeleteTopicsResponse:
    """Decide and commit."""
    controller, version = ctx.controller, ctx.api_version
    response: DeleteTopicsResponse = controller.submit(
        lambda image: controller.topics(image).decide_deletion(request, version),
        ctx.now,
        timeout_ms=request.timeout_ms if request.topics or request.topic_names else None,
    )
    return response
