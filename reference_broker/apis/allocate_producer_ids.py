"""AllocateProducerIds: a broker gets a block of producer ids, which nobody else gets (KIP-730).

**Promises** No id is in two blocks, whatever fails.
**Refuses** STALE_BROKER_EPOCH: the sender is not the registered broker; UNKNOWN_SERVER_ERROR: all ids have been given
out.
**Versions** 0 only.
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import ControllerContext
from reference_broker.controller.producer_ids import decide_producer_ids
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.allocate_producer_ids_request import AllocateProducerIdsRequest

API: Final = ApiKey.ALLOCATE_PRODUCER_IDS
VERSIONS: Final = range(1)
LISTENERS: Final = ("controller",)


def handle(request: AllocateProducerIdsRequest, ctx: ControllerContext) -> Any:
    """Decide and commit."""
    return ctx.controller.submit(lambda image: decide_producer_ids(image, request), ctx.now)
