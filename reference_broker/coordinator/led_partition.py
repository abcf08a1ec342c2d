"""A partition of a coordinator's topic that this broker leads: its state machine, and how far it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Final, Generic, TypeVar

from reference_broker.coordinator.log import CoordinatorLog, Entry, EntryLog, ShardState, loaded_entry
from reference_broker.coordinator.records import RecordTypes
from reference_broker.coordinator.shard import Decision, Shard
from reference_broker.coordinator.timers import PartitionTimers
from reference_broker.environment import Now
from reference_broker.state_machine.machine import StateMachine
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.refusal import KafkaError


class Phase(Enum):
    """How far a coordinator's partition has come."""

    LOADING = auto()
    ACTIVE = auto()
    FAILED = auto()
    """Its log cannot be read: it has no coordinator until it is led anew."""
    UNLOADED = auto()


TRANSITIONS: Final = {
    (Phase.LOADING, Phase.ACTIVE),
    (Phase.LOADING, Phase.FAILED),
    (Phase.LOADING, Phase.UNLOADED),
    (Phase.ACTIVE, Phase.UNLOADED),
    (Phase.FAILED, Phase.UNLOADED),
}

REFUSED_AS: Final = {
    Phase.LOADING: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
    Phase.FAILED: ErrorCode.NOT_COORDINATOR,
    Phase.UNLOADED: ErrorCode.NOT_COORDINATOR,
}

ShardT = TypeVar("ShardT", bound=Shard)


class LedPartition(Generic[ShardT]):
    """Begins LOADING. What is not ACTIVE decides nothing."""

    def __init__(
        self,
        partition: int,
        shard: ShardT,
        *,
        epoch: int,
        topic: CoordinatorLog,
        log: EntryLog,
        types: RecordTypes,
        timers: PartitionTimers,
    ) -> None:
        self.partition, self.timers = partition, timers
        self._topic, self._types = topic, types
        self.phase = Phase.LOADING
        self.machine: StateMachine[ShardState[ShardT], Entry] = StateMachine(
            ShardState(shard), log, epoch=epoch, committed_offset=-1
        )
        self.awaited = -1
        """The largest offset whose commit the log is to tell of."""
        self.writes = 0
        """How many decisions were to be settled so far."""
        self._next_offset: int | None = None
        self._loaded_offset = -1

    @property
    def shard(self) -> ShardT:
        """The state."""
        return self.machine.state.shard

    @property
    def active(self) -> StateMachine[ShardState[ShardT], Entry]:
        """The state machine. COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR."""
        if self.phase is not Phase.ACTIVE:
            raise KafkaError(REFUSED_AS[self.phase], f"partition {self.partition} is {self.phase.name}")
        return self.machine

    @property
    def is_behind(self) -> bool:
        """Whether this leader does not know yet that what it loaded is committed: readers would see older offsets."""
        return self.machine.committed_offset < self._loaded_offset

    def read(self, decide: Callable[[ShardT], Decision]) -> Any:
        """The response of a decision over what is committed."""
        return self.machine.read(lambda state: decide(state.shard).response)

    def enter(self, phase: Phase) -> None:
        """RuntimeError where the phase does not follow from the present one: a fault of ours."""
        if (self.phase, phase) not in TRANSITIONS:
            raise RuntimeError(f"a coordinator's partition cannot go from {self.phase.name} to {phase.name}")
        self.phase = phase

    # -- loading ------------------------------------------------------------------------------------------------

    def load(self, max_records: int, now: Now) -> int:
        """Replay the next batches, about `max_records`; how many it were. Afterwards it may be ACTIVE or FAILED.

        The high watermark may still be behind the log's end: what is beyond counts for decisions, not for readers.
        """
        count = 0
        try:
            if self._next_offset is None:
                self._next_offset = self._topic.start_offset(self.partition)
            # A leader learns of the high watermark with time: what came before it is committed.
            self.machine.on_committed(self._topic.high_watermark(self.partition) - 1, now)
            for batch in self._topic.batches(self.partition, self._next_offset, self.machine.epoch):
                entry = loaded_entry(batch, self._next_offset, self._types)
                self.machine.load(entry, batch.header.base_offset, batch.header.last_offset)
                self._next_offset = batch.header.last_offset + 1
                count += max(batch.header.records_count, 1)
                if count >= max_records:
                    return count
        except (KafkaError, MalformedRequest, OSError):
            self.enter(Phase.FAILED)
            return count
        self._loaded_offset = self.machine.awaited_offset
        self.enter(Phase.ACTIVE)
        return count

    def may_go_on(self, epoch: int) -> bool:
        """Whether it may serve a later epoch of the same leader: nobody else has written to the log meanwhile."""
        if self.phase is Phase.FAILED:
            return False
        return self.phase is Phase.LOADING or self.machine.awaited_offset + 1 == self._topic.end_offset(self.partition)
