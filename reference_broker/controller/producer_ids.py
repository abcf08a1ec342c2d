"""AllocateProducerIds: a broker gets a block of producer ids that nobody else gets (KIP-730)."""

from __future__ import annotations

from typing import Final

from reference_broker.controller.decision import Decision
from reference_broker.controller.heartbeat import check_broker_epoch
from reference_broker.metadata.image import MetadataImage
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.allocate_producer_ids_request import AllocateProducerIdsRequest
from reference_broker.wire.messages.allocate_producer_ids_response import AllocateProducerIdsResponse
from reference_broker.wire.messages.producer_ids_record import ProducerIdsRecord
from reference_broker.wire.primitives import ProducerId
from reference_broker.wire.refusal import KafkaError

BLOCK_SIZE: Final = 1000
LARGEST_ID: Final = 2**63 - 1


def decide_producer_ids(image: MetadataImage, request: AllocateProducerIdsRequest) -> Decision:
    """The next block. STALE_BROKER_EPOCH for a broker that is not the registered one."""
    check_broker_epoch(image, request.broker_id, request.broker_epoch)
    first = image.next_producer_id
    if first > LARGEST_ID - BLOCK_SIZE:
        raise KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, "all producer ids have been given out")
    record = ProducerIdsRecord(
        broker_id=request.broker_id,
        broker_epoch=request.broker_epoch,
        next_producer_id=ProducerId(first + BLOCK_SIZE),
    )
    response = AllocateProducerIdsResponse(producer_id_start=ProducerId(first), producer_id_len=BLOCK_SIZE)
    return Decision(((record, 0),), response)
