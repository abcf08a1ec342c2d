"""Producer ids of this broker, from blocks that the controller hands out (AllocateProducerIds, KIP-730).

The next block is asked for when nine tenths of the last one are used, so that producers need not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from reference_broker.broker.channel import ControllerChannel
from reference_broker.effects import PeerLost
from reference_broker.environment import Now
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.allocate_producer_ids_request import AllocateProducerIdsRequest
from reference_broker.wire.messages.allocate_producer_ids_response import AllocateProducerIdsResponse
from reference_broker.wire.primitives import BrokerId, ProducerId
from reference_broker.wire.refusal import KafkaError

RETRY_BACKOFF_MS: Final = 50
LARGEST_ID: Final = (1 << 63) - 1


class ProducerIds:
    """Hands out each id once. `broker_epoch()` is this broker's."""

    def __init__(
        self,
        *,
        broker_id: BrokerId,
        broker_epoch: Callable[[], int],
        channel: ControllerChannel,
        log: Callable[[str, str], None],
    ) -> None:
        self._broker_id, self._broker_epoch = broker_id, broker_epoch
        self._channel, self._log = channel, log
        self._block = range(0)
        self._used = 0
        self._next_block: range | None = None
        self._is_asking = False
        self._ask_from_ms = 0

    def take(self, now: Now) -> ProducerId:
        """The next id. COORDINATOR_LOAD_IN_PROGRESS while there is none: the client asks again."""
        if self._used == len(self._block):
            if self._next_block is None:
                self.ask_ahead(now)
                raise KafkaError(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, "waiting for a block of producer ids")
            self._block, self._next_block, self._used = self._next_block, None, 0
        found = self._block[self._used]
        self._used += 1
        if self._used * 10 > len(self._block) * 9:
            self.ask_ahead(now)
        return ProducerId(found)

    def ask_ahead(self, now: Now) -> None:
        """Ask for a block, unless there is one in store, or one was asked for."""
        if self._next_block is not None or self._is_asking or now.monotonic_ms < self._ask_from_ms:
            return
        self._is_asking = True
        request = AllocateProducerIdsRequest(broker_id=self._broker_id, broker_epoch=self._broker_epoch())
        self._channel.request(ApiKey.ALLOCATE_PRODUCER_IDS, request, self._on_outcome, now)

    def _on_outcome(self, outcome: AllocateProducerIdsResponse | PeerLost, now: Now) -> None:
        self._is_asking = False
        block = self._block_of(outcome)
        if isinstance(block, range):
            self._next_block = block
        else:
            self._log("WARN", f"no block of producer ids: {block}")
            self._ask_from_ms = now.monotonic_ms + RETRY_BACKOFF_MS

    def _block_of(self, outcome: AllocateProducerIdsResponse | PeerLost) -> range | str:
        """A block that was never handed out before, or why there is none."""
        if isinstance(outcome, PeerLost):
            return outcome.reason
        if outcome.error_code != ErrorCode.NONE:
            return ErrorCode(outcome.error_code).name
        start, size = outcome.producer_id_start, outcome.producer_id_len
        if start < 0 or size <= 0 or start > LARGEST_ID - size:
            return f"a block of {size} from {start} is none"
        if self._block and start <= self._block[-1]:
            return f"a block from {start} overlaps the last one, which ends at {self._block[-1]}"
        return range(start, start + size)
