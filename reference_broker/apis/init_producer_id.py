"""InitProducerId: a producer id for an idempotent producer.

**Promises** An id that was never given out before, with epoch 0; ids come in blocks that the metadata log notes
(KIP-730).
**Refuses** INVALID_REQUEST: an id without an epoch or the other way, or an empty transactional id;
INVALID_TRANSACTION_TIMEOUT: not above 0, or above transaction.max.timeout.ms; NOT_COORDINATOR: a transactional id;
COORDINATOR_LOAD_IN_PROGRESS: no block of ids has come from the controller yet.
**Versions** 3 the producer's own id and epoch (KIP-360); 5 tells a client that transactions of version 2 are known.
**Departs from Kafka** Transactional ids are refused: there is no transaction coordinator yet.
"""

from __future__ import annotations

from typing import Final

from reference_broker.apis.context import BrokerContext
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.init_producer_id_request import InitProducerIdRequest
from reference_broker.wire.messages.init_producer_id_response import InitProducerIdResponse
from reference_broker.wire.refusal import KafkaError

API: Final = ApiKey.INIT_PRODUCER_ID
VERSIONS: Final = range(6)
LISTENERS: Final = ("broker",)

REFUSAL_VALUES: Final = {"producer_epoch": -1}

NO_ID, NO_EPOCH = -1, -1


def handle(request: InitProducerIdRequest, ctx: BrokerContext) -> InitProducerIdResponse:
    """Give out the next id."""
    if (request.producer_id == NO_ID) != (request.producer_epoch == NO_EPOCH):
        raise KafkaError(ErrorCode.INVALID_REQUEST, "a producer id and its epoch come together")
    if request.transactional_id is not None:
        _refuse_transactional(request.transactional_id, request.transaction_timeout_ms, ctx)
    return InitProducerIdResponse(producer_id=ctx.broker.producer_ids.take(ctx.now), producer_epoch=0)


def _refuse_transactional(transactional_id: str, timeout_ms: int, ctx: BrokerContext) -> None:
    if not transactional_id:
        raise KafkaError(ErrorCode.INVALID_REQUEST, "a transactional id cannot be empty")
    if not 0 < timeout_ms <= ctx.config.number("transaction.max.timeout.ms"):
        raise KafkaError(ErrorCode.INVALID_TRANSACTION_TIMEOUT, f"a transaction cannot last {timeout_ms} ms")
    raise KafkaError(ErrorCode.NOT_COORDINATOR, "transactions are not served yet")
