"""A quorum of one over a log in memory, in which what is appended is committed, with the controller that leads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from reference_broker.controller.activation import check_metadata_version
from reference_broker.controller.controller import Controller
from reference_broker.environment import Now, Random
from reference_broker.metadata.node_config import NodeConfig
from reference_broker.metadata.publishing import Publisher
from reference_broker.metadata.snapshot_generator import SnapshotGenerator
from reference_broker.raft.snapshots import SnapshotId
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.voters_record import VotersRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.refusal import KafkaError

BATCHES_AT_ONCE: Final = 1_000


class LoadedBatch(Protocol):
    """A committed batch that was read back; `is_snapshot`: it stands for all that came before `last_offset` + 1."""

    @property
    def last_offset(self) -> int: ...
    @property
    def epoch(self) -> int: ...
    @property
    def records(self) -> tuple[VersionedRecord, ...]: ...
    @property
    def is_snapshot(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class CommittedBatch:
    """A batch that is committed; a control batch has no records."""

    last_offset: int
    epoch: int
    records: Sequence[VersionedRecord] = ()


class OwnLog(Protocol):
    """The log of the only voter. Every method may raise OSError."""

    leader_epoch: int

    @property
    def high_watermark(self) -> int: ...
    @property
    def voters(self) -> VotersRecord | None: ...
    def load(self) -> Iterator[LoadedBatch]: ...
    def lead(self, now_ms: int) -> None: ...
    def append(self, records: Sequence[VersionedRecord], now_ms: int, *, must_last: bool = True) -> int: ...
    def is_snapshot_due(self, now_ms: int) -> bool: ...
    def write_snapshot(self, records: Sequence[VersionedRecord], now_ms: int) -> object: ...
    def sweep(self, now_ms: int) -> None: ...
    def close(self, now_ms: int) -> None: ...


class QuorumListener(Protocol):
    """Who hears of the metadata log."""

    def on_commit(self, batches: Sequence[CommittedBatch], now: Now) -> None:
        """Batches are committed: in order, each once, at load and at run time by the same way."""

    def on_snapshot(self, snapshot_id: SnapshotId, records: Iterable[VersionedRecord], now: Now) -> None:
        """A snapshot stands in the place of all that was committed before its end."""

    def on_leader(self, leader_id: int | None, epoch: int, now: Now) -> None:
        """Another leader, or epoch; the own node hears it only after every record that was committed before."""


class SoleVoter:
    """Made over an open log; `load` it, then `lead`."""

    def __init__(self, log: OwnLog, node_id: int) -> None:
        self.log, self._node_id = log, node_id
        self._listeners: list[QuorumListener] = []

    def add_listener(self, listener: QuorumListener) -> None:
        """Have somebody told, after those that were added before."""
        self._listeners.append(listener)

    @property
    def end_offset(self) -> int:
        """The offset that the next record gets."""
        return self.log.high_watermark

    @property
    def kraft_version(self) -> int:
        """1 where the voter stands in a record of the log (KIP-853)."""
        return 0 if self.log.voters is None else 1

    @property
    def voter_ids(self) -> tuple[int, ...]:
        """This node's id."""
        return (self._node_id,)

    def load(self, now: Now) -> None:
        """Tell all that was committed before."""
        batches: list[CommittedBatch] = []
        for one in self.log.load():
            if one.is_snapshot:
                for listener in self._listeners:
                    listener.on_snapshot(SnapshotId(one.last_offset + 1, one.epoch), one.records, now)
                continue
            batches.append(CommittedBatch(one.last_offset, one.epoch, one.records))
            if len(batches) == BATCHES_AT_ONCE:
                self._tell(batches, now)
                batches = []
        if batches:
            self._tell(batches, now)

    def lead(self, now: Now) -> None:
        """Win the election of one, and tell it."""
        self.log.lead(now.wall_ms)
        self._tell([CommittedBatch(self.log.high_watermark - 1, self.log.leader_epoch)], now)
        for listener in self._listeners:
            listener.on_leader(self._node_id, self.log.leader_epoch, now)

    def append(self, records: Sequence[VersionedRecord], epoch: int, now: Now, *, must_last: bool = True) -> int:
        """Append and commit as one batch; the offset of the last record. NOT_CONTROLLER in another epoch."""
        if epoch != self.log.leader_epoch:
            raise KafkaError(ErrorCode.NOT_CONTROLLER, f"this node leads epoch {self.log.leader_epoch}, not {epoch}")
        last = self.log.append(records, now.wall_ms, must_last=must_last)
        self._tell([CommittedBatch(last, epoch, records)], now)
        return last

    def _tell(self, batches: Sequence[CommittedBatch], now: Now) -> None:
        for listener in self._listeners:
            listener.on_commit(batches, now)

    # -- snapshots ----------------------------------------------------------------------------------------------

    def is_snapshot_due(self, now: Now) -> bool:
        """Whether a snapshot should be written."""
        return self.log.is_snapshot_due(now.wall_ms)

    def write_snapshot(self, records: Sequence[VersionedRecord], offset: int, epoch: int, now: Now) -> None:
        """Write the state behind the last record, which is at `offset`, of `epoch`."""
        self.log.write_snapshot(records, now.wall_ms)

    def sweep(self, now: Now) -> None:
        """Remove what is no longer needed."""
        self.log.sweep(now.wall_ms)

    def close(self, now: Now) -> None:
        """Flush and release the log."""
        self.log.close(now.wall_ms)


@dataclass(frozen=True, slots=True)
class Metadata:
    """The parts of a node that decide, replicate and publish metadata."""

    quorum: SoleVoter
    publisher: Publisher
    settings: NodeConfig
    controller: Controller
    snapshots: SnapshotGenerator


def lead_metadata(
    *,
    log: OwnLog,
    cluster_id: str,
    config: BrokerConfig,
    random: Random,
    now: Now,
    bootstrap: Sequence[VersionedRecord] = (),
    halt: Callable[[str], None],
) -> Metadata:
    """Load the metadata and lead the quorum of one.

    KafkaError (UNSUPPORTED_VERSION) where the cluster is ahead of the release.
    """
    publisher = Publisher(cluster_id, halt)
    settings = NodeConfig(config, publisher)
    quorum = SoleVoter(log, config.node_id)
    controller = Controller(log=quorum, publisher=publisher, settings=settings, random=random, bootstrap=bootstrap)
    quorum.add_listener(publisher)
    quorum.add_listener(controller)
    quorum.load(now)
    check_metadata_version(publisher.image, config.release)
    quorum.lead(now)
    return Metadata(quorum, publisher, settings, controller, SnapshotGenerator(publisher, quorum))
