"""CreateTopics: new topics, by number of partitions or by assignment.

**Promises** Each topic is there, with its configuration and a leader for every partition, when the answer says so; the
answer tells its id, size and effective configuration. validate_only checks the same and writes nothing.
**Refuses** Per topic: INVALID_TOPIC_EXCEPTION, TOPIC_ALREADY_EXISTS, INVALID_CONFIG, INVALID_PARTITIONS,
INVALID_REPLICATION_FACTOR, INVALID_REPLICA_ASSIGNMENT, INVALID_REQUEST: named twice, assignment beside numbers, or
`__cluster_metadata`. POLICY_VIOLATION for all: more than 10,000 partitions asked for. REQUEST_TIMED_OUT for all:
timeout_ms is not above 0.
**Versions** 4 -1 for default numbers; 5 configuration and size in the answer; 7 topic ids.
**Departs from Kafka** create.topic.policy.class.name is not honoured: a policy is Java.
"""

from __future__ import annotations

from typing import Final

from reference_broker.apis.context import ControllerContext
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.create_topics_request import CreateTopicsRequest
from reference_broker.wire.messages.create_topics_response import CreateTopicsResponse

API: Final = ApiKey.CREATE_TOPICS
VERSIONS: Final = range(2, 8)
LISTENERS: Final = ("broker", "controller")


def handle(request: CreateTopicsRequest, ctx: ControllerContext) -> CreateTopicsResponse:
    """Decide and commit."""
    controller = ctx.controller
    response: CreateTopicsResponse = controller.submit(
        lambda image: controller.topics(image).decide_creation(request),
        ctx.now,
        timeout_ms=request.timeout_ms if request.topics else None,
    )
    return response
