"""UnregisterBroker: take a broker out of the metadata, be it gone or running (KIP-500).

**Promises** An unregistered broker is in no later answer. A running one leads nothing any more, and
still serves consumers' reads of what it has; started again, it is registered anew and leads as before.
**Refuses** BROKER_ID_NOT_REGISTERED: no such broker.
**Versions** 0 only.
**Departs from Kafka** A broker that was unregistered stops at once on SIGTERM; Kafka's first asks a controller that no
longer knows it for leave, for five minutes.
"""

from __future__ import annotations

from typing import Final

from reference_broker.apis.context import ControllerContext
from reference_broker.controller.decision import Decision
from reference_broker.controller.registration import decide_unregistration
from reference_broker.metadata.image import MetadataImage
from reference_broker.releases.behaviours import Behaviour
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.unregister_broker_request import UnregisterBrokerRequest
from reference_broker.wire.messages.unregister_broker_response import UnregisterBrokerResponse
from reference_broker.wire.refusal import KafkaError

API: Final = ApiKey.UNREGISTER_BROKER
VERSIONS: Final = range(1)
LISTENERS: Final = ("broker", "controller")


def handle(request: UnregisterBrokerRequest, ctx: ControllerContext) -> UnregisterBrokerResponse:
    """Decide and commit."""
    response: UnregisterBrokerResponse = ctx.controller.submit(lambda image: _decide(request, image, ctx), ctx.now)
    return response


def _decide(request: UnregisterBrokerRequest, image: MetadataImage, ctx: ControllerContext) -> Decision:
    is_known = image.cluster.get(request.broker_id) is not None
    if not is_known and not ctx.release.does(Behaviour.KAFKA_18859_REASON_NOT_UNREGISTERED):
        raise KafkaError(ErrorCode.BROKER_ID_NOT_REGISTERED, "")
    return decide_unregistration(image, ctx.config, request.broker_id, sessions=ctx.controller.sessions)
