"""UnregisterBroker: take a broker that is gone out of the metadata (KIP-500).

**Promises** An unregistered broker is in no later answer.
**Refuses** BROKER_ID_NOT_REGISTERED: no such broker. INVALID_REQUEST: the broker is this very node.
**Versions** 0 only.
**Departs from Kafka** Kafka lets a running broker be unregistered, and it is fenced until it is
started again; here the node's own broker is refused.
"""

from __future__ import annotations

from typing import Final

from reference_broker.apis.context import Context
from reference_broker.controller.decision import Decision
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.unregister_broker_record import UnregisterBrokerRecord
from reference_broker.wire.messages.unregister_broker_request import UnregisterBrokerRequest
from reference_broker.wire.messages.unregister_broker_response import UnregisterBrokerResponse
from reference_broker.wire.refusal import KafkaError

API: Final = ApiKey.UNREGISTER_BROKER
VERSIONS: Final = range(1)
LISTENERS: Final = ("broker", "controller")


def handle(request: UnregisterBrokerRequest, ctx: Context) -> UnregisterBrokerResponse:
    """Decide and commit."""
    response: UnregisterBrokerResponse = ctx.controller.submit(lambda: _decide(request, ctx), ctx.now_ms)
    return response


def _decide(request: UnregisterBrokerRequest, ctx: Context) -> Decision:
    broker = ctx.image.cluster.get(request.broker_id)
    if broker is None:
        text = f"Broker ID {request.broker_id} is not currently registered"
        raise KafkaError(ErrorCode.BROKER_ID_NOT_REGISTERED, text)
    if broker.id == ctx.controller.static_config.node_id:
        raise KafkaError(ErrorCode.INVALID_REQUEST, f"Broker {broker.id} is running: stop it first")
    record = UnregisterBrokerRecord(broker_id=request.broker_id, broker_epoch=broker.epoch)
    return Decision(((record, 0),), UnregisterBrokerResponse(error_message=None))


def error_response(
    request: UnregisterBrokerRequest, version: int, code: ErrorCode, message: str | None
) -> UnregisterBrokerResponse:
    """One error for the whole."""
    return UnregisterBrokerResponse(error_code=code, error_message=message)
