"""What a member of the metadata quorum keeps on its disk: the log, its snapshots, the voters, the quorum state.

Written is not durable: appended records count for an election or a high watermark only once `note_flushed` has been
told of them. The quorum state is durable when `write_quorum_state` returns. Source: KIP-595, KIP-630, KIP-853.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from reference_broker.effects import Flushable
from reference_broker.environment import Disk
from reference_broker.log.config import LogConfig
from reference_broker.log.flushing import take_flush_targets
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.recovery import open_log
from reference_broker.log.replication import truncate_fully, truncate_to
from reference_broker.raft.frames import CommittedBatch, ControlType, check_follows, decode_control, decode_records
from reference_broker.raft.quorum_state import QuorumState, read_quorum_state, write_quorum_state
from reference_broker.raft.settings import StoreSettings
from reference_broker.raft.snapshot_files import SnapshotDownload, SnapshotDraft, SnapshotFiles, UnfinishedSnapshot
from reference_broker.raft.snapshots import BOOTSTRAP, Snapshot, SnapshotId, read_snapshot
from reference_broker.raft.voters import VoterHistory, VoterSet
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import Buffer, Uuid
from reference_broker.wire.records import Batch, iter_batches

TOPIC: Final = "__cluster_metadata"
TOPIC_ID: Final = Uuid(bytes(15) + b"\1")
DIRECTORY: Final = TOPIC + "-0"


class MetadataStore:
    """Made by `open`. Every method that reads or writes may raise OSError: the folder is then in doubt."""

    def __init__(
        self,
        *,
        disk: Disk,
        metadata_log_dir: str,
        log: PartitionLog,
        snapshots: SnapshotFiles,
        settings: StoreSettings,
        static_voters: VoterSet,
    ) -> None:
        self._disk, self._log, self._settings = disk, log, settings
        self._metadata_log_dir, self._directory = metadata_log_dir, log.directory
        self._snapshots = snapshots
        self._flushing: list[list[int]] = []
        self.voters = VoterHistory(static_voters)
        self.last_timestamp_ms = 0

    @classmethod
    def open(
        cls,
        *,
        disk: Disk,
        metadata_log_dir: str,
        settings: StoreSettings,
        now_ms: int,
        static_voters: VoterSet | None = None,
        on_warning: Callable[[str], None] = lambda line: None,
    ) -> MetadataStore:
        """Open the log under a metadata log folder. What a crash tore off is cut, which `on_warning` is told,
        and all the rest made durable.

        MalformedRequest where the newest snapshot or a control record cannot be read; ValueError where the log lacks
        its beginning.
        """
        directory = f"{metadata_log_dir}/{DIRECTORY}"
        disk.make_directories(directory)
        disk.flush_directory(metadata_log_dir)
        snapshots = SnapshotFiles(disk, directory)
        log = open_log(
            disk=disk,
            directory=directory,
            topic=TOPIC,
            partition=0,
            topic_id=TOPIC_ID,
            config=LogConfig(
                segment_bytes=settings.segment_bytes,
                segment_ms=settings.segment_ms,
                retention_ms=-1,
                retention_bytes=-1,
                max_message_bytes=settings.max_batch_bytes,
            ),
            is_clean=False,
            on_warning=on_warning,
        )
        store = cls(
            disk=disk,
            metadata_log_dir=metadata_log_dir,
            log=log,
            snapshots=snapshots,
            settings=settings,
            static_voters=VoterSet() if static_voters is None else static_voters,
        )
        newest = store.latest_snapshot
        if newest is not None and store._is_beyond_log(newest):
            # A crash came after the snapshot was downloaded and before the log was cut.
            truncate_fully(log, newest.end_offset)
        start = log.log_start_offset
        if start > 0 and (newest is None or newest.end_offset < start):
            raise ValueError(f"{directory}: the log begins at offset {start}, and no snapshot holds what came before")
        snapshots.remove_before(start)
        log.flush(now_ms)
        store._load_voters()
        return store

    def _is_beyond_log(self, snapshot_id: SnapshotId) -> bool:
        latest = max(self._log.epochs.latest, 0)
        return snapshot_id.epoch > latest or (
            snapshot_id.epoch == latest and snapshot_id.end_offset > self._log.log_end_offset
        )

    def _load_voters(self) -> None:
        """The voters as the newest snapshot and the log behind it tell them."""
        self.voters.clear()
        start = 0
        if (newest := self.latest_snapshot) is not None:
            start = newest.end_offset
            self._apply_snapshot(newest, self._snapshots.head(newest))
        for batch in self._log.batches_from(start):
            self.last_timestamp_ms = batch.header.max_timestamp
            self._apply_control(batch)

    def _apply_snapshot(self, snapshot_id: SnapshotId, snapshot: Snapshot) -> None:
        self.last_timestamp_ms = snapshot.last_timestamp_ms
        if snapshot.kraft_version > 0:
            self.voters.add_kraft_version(snapshot_id.end_offset - 1, snapshot.kraft_version)
        if snapshot.voters is not None:
            self.voters.add(snapshot_id.end_offset - 1, VoterSet.from_record(snapshot.voters))

    def _apply_control(self, batch: Batch) -> None:
        if not batch.header.is_control:
            return
        for at, (kind, message) in enumerate(decode_control(batch)):
            if kind is ControlType.KRAFT_VOTERS:
                self.voters.add(batch.header.base_offset + at, VoterSet.from_record(message))
            elif kind is ControlType.KRAFT_VERSION:
                self.voters.add_kraft_version(batch.header.base_offset + at, message.k_raft_version)

    # -- where the log stands -----------------------------------------------------------------------------------

    @property
    def log_start_offset(self) -> int:
        """The first offset that is still in the log; what came before is in a snapshot."""
        return self._log.log_start_offset

    @property
    def end_offset(self) -> int:
        """The offset that the next record will get."""
        return self._log.log_end_offset

    @property
    def last_epoch(self) -> int:
        """The epoch of the last record; that of the snapshot where the log is empty behind one; 0 without either."""
        if self._log.epochs.latest >= 0:
            return self._log.epochs.latest
        newest = self.latest_snapshot
        return 0 if newest is None else newest.epoch

    @property
    def flushed_offset(self) -> int:
        """The offset up to which all records are on stable storage."""
        return self._log.recovery_point

    @property
    def size(self) -> int:
        """Bytes in the log's segments."""
        return self._log.size

    def end_offset_for_epoch(self, epoch: int) -> tuple[int, int]:
        """(largest epoch not above the one asked for, the offset where it ended); of the log's end for a later one.

        At the log's start the answer is the snapshot that stands there, also where its epoch is an earlier one.
        """
        found, end_offset = self._log.end_offset_for_epoch(epoch)
        if found < 0:
            return self.last_epoch, self.end_offset
        earliest = self.earliest_snapshot
        if earliest is not None and end_offset == earliest.end_offset and found == epoch:
            return earliest.epoch, earliest.end_offset
        return found, end_offset

    # -- writing ------------------------------------------------------------------------------------------------

    def append_as_leader(self, batch: Buffer, epoch: int, now_ms: int) -> int:
        """Append one batch of our own making, which gets its offsets and `epoch` here; the offset of its last record.

        Voters that it names count from now on.
        """
        appended = self._log.append_own(batch, epoch, now_ms)
        (parsed,) = iter_batches(batch)
        header = parsed.header
        self.last_timestamp_ms = header.max_timestamp
        self._apply_control(Batch(header._replace(base_offset=appended.first_offset), parsed.data))
        return appended.last_offset

    def append_as_follower(self, records: Buffer, now_ms: int, *, leader_epoch: int | None = None) -> None:
        """Append the batches of a Fetch response as they are; a part of one at the end is left out.

        MalformedRequest where a batch is corrupt, does not follow the log, or has an epoch below the last one or above
        the leader's; what came before it is appended.
        """
        for batch in iter_batches(records):
            check_follows(batch, self.end_offset, self.last_epoch, leader_epoch)
            self._log.append_as_it_is(batch, now_ms)
            self.last_timestamp_ms = batch.header.max_timestamp
            self._apply_control(batch)

    def truncate_to(self, offset: int, *, high_watermark: int = 0) -> None:
        """Drop the records at and above an offset. ValueError below the high watermark: committed records stay."""
        if offset < high_watermark:
            raise ValueError(f"truncation to {offset} would drop records below the high watermark {high_watermark}")
        if offset >= self.end_offset:
            return
        truncate_to(self._log, offset)
        self.voters.truncate_to(self.end_offset)
        self.last_timestamp_ms = self._timestamp_at(self.end_offset - 1)
        self._cap_flushes(self.end_offset)

    def truncate_to_snapshot(self, snapshot_id: SnapshotId) -> None:
        """Replace the whole log by a snapshot on stable storage, and begin behind it; earlier snapshots go."""
        self._snapshots.adopt(snapshot_id)
        snapshot = self._snapshots.head(snapshot_id)
        truncate_fully(self._log, snapshot_id.end_offset)
        self._snapshots.remove_before(snapshot_id.end_offset)
        self._cap_flushes(snapshot_id.end_offset)
        self.voters.clear()
        self._apply_snapshot(snapshot_id, snapshot)

    def flush_targets(self) -> tuple[Flushable, ...]:
        """What to flush so that all records up to `end_offset` are durable; then tell `note_flushed` that offset."""
        self._flushing.append([self.end_offset, self.end_offset])
        return take_flush_targets(self._log)

    def note_flushed(self, end_offset: int) -> None:
        """The flush that was asked for when the log ended here is done.

        What was truncated and written anew since then does not count: it needs a flush of its own.
        """
        for index, (asked, durable) in enumerate(self._flushing):
            if asked == end_offset:
                del self._flushing[: index + 1]
                self._log.recovery_point = max(self._log.recovery_point, durable)
                return

    def _cap_flushes(self, end_offset: int) -> None:
        for flush in self._flushing:
            flush[1] = min(flush[1], end_offset)

    # -- reading ------------------------------------------------------------------------------------------------

    def read(self, offset: int, max_bytes: int) -> bytes:
        """Whole batches from the one that holds `offset`, at most `max_bytes` but the first in any case.

        OFFSET_OUT_OF_RANGE outside of the log.
        """
        fetched = self._log.read(offset, max_bytes, self.end_offset, at_least_one_batch=True)
        if fetched.segment is None:
            return b""
        (piece,) = fetched.slices
        data = fetched.segment.file.read_at(piece.position, piece.size)
        return data[: sum(batch.header.size_in_bytes for batch in iter_batches(data))]

    def batches(self, from_offset: int, up_to: int) -> Iterator[CommittedBatch]:
        """The batches from an offset on that end before another, decoded. MalformedRequest for unknown records."""
        for batch in self._log.batches_from(from_offset):
            header = batch.header
            if header.last_offset >= up_to:
                return
            yield CommittedBatch(
                base_offset=header.base_offset,
                last_offset=header.last_offset,
                epoch=header.partition_leader_epoch,
                timestamp_ms=header.max_timestamp,
                size_in_bytes=header.size_in_bytes,
                records=() if header.is_control else tuple(decode_records(batch)),
            )

    # -- snapshots ----------------------------------------------------------------------------------------------

    @property
    def latest_snapshot(self) -> SnapshotId | None:
        """The newest snapshot; None without any."""
        return self._snapshots.ids[-1] if self._snapshots.ids else None

    @property
    def earliest_snapshot(self) -> SnapshotId | None:
        """The oldest snapshot; None without any."""
        return self._snapshots.ids[0] if self._snapshots.ids else None

    def snapshot_records(self, snapshot_id: SnapshotId) -> Iterator[VersionedRecord]:
        """A snapshot's records, read as they are asked for; MalformedRequest where its file is torn or corrupt."""
        return self._snapshots.records(snapshot_id)

    def snapshot_bytes(self, snapshot_id: SnapshotId, position: int, max_bytes: int) -> tuple[int, bytes]:
        """(bytes in the whole file, those from a position on); SNAPSHOT_NOT_FOUND, POSITION_OUT_OF_RANGE."""
        return self._snapshots.part(snapshot_id, position, max_bytes)

    def begin_snapshot(
        self, snapshot_id: SnapshotId, records: Iterable[VersionedRecord], now_ms: int
    ) -> SnapshotDraft | None:
        """Begin to write the state before a committed offset. ValueError where a snapshot cannot stand there.

        None for one that ends before the log's start, which a newer one has replaced, and for one that is there.
        Once it is whole and flushed, `adopt_snapshot` makes it count.
        """
        if snapshot_id.end_offset < self.log_start_offset:
            return None
        self._check_snapshot_id(snapshot_id)
        last = snapshot_id.end_offset - 1
        voters = self.voters.at(last).to_record() if self.voters.is_in_log(last) else None
        content = Snapshot(
            records=(),
            kraft_version=self.voters.kraft_version_at(last),
            voters=voters,
            last_timestamp_ms=self._timestamp_at(last),
        )
        return self._snapshots.begin(snapshot_id, content, records, now_ms)

    def adopt_snapshot(self, snapshot: UnfinishedSnapshot, now_ms: int) -> None:
        """A snapshot is on stable storage; remove those that are too old now."""
        if snapshot.snapshot_id.end_offset < self.log_start_offset:
            self.drop_snapshot(snapshot)
            return
        self._snapshots.adopt(snapshot.snapshot_id)
        self.clean(now_ms)

    def drop_snapshot(self, snapshot: UnfinishedSnapshot) -> None:
        """A snapshot is on stable storage, and nobody wants it any more."""
        self._snapshots.drop(snapshot.snapshot_id)

    def _check_snapshot_id(self, snapshot_id: SnapshotId) -> None:
        found, end_offset = self.end_offset_for_epoch(snapshot_id.epoch)
        if found != snapshot_id.epoch or end_offset < snapshot_id.end_offset:
            raise ValueError(
                f"no snapshot {snapshot_id.file_name}: epoch {found} is the nearest here and ends at {end_offset}"
            )
        following = next(self._log.batches_from(snapshot_id.end_offset), None)
        if following is not None and following.header.base_offset < snapshot_id.end_offset:
            raise ValueError(
                f"no snapshot {snapshot_id.file_name}: the offset is inside the batch at {following.header.base_offset}"
            )

    def _timestamp_at(self, offset: int) -> int:
        """The time of the record at an offset; where it is in a snapshot only, of the snapshot's last record."""
        batch = next(self._log.batches_from(offset), None)
        if batch is not None and batch.header.base_offset <= offset:
            return batch.header.max_timestamp
        newest = self.latest_snapshot
        return 0 if newest is None else self._snapshots.timestamp_of(newest)

    def begin_download(self, snapshot_id: SnapshotId) -> SnapshotDownload:
        """Begin to receive a leader's snapshot. Once it is whole and flushed, `truncate_to_snapshot` makes it count."""
        return self._snapshots.begin_download(snapshot_id)

    def clean(self, now_ms: int) -> None:
        """Remove old snapshots by metadata.max.retention.bytes and .ms, never the newest, and the log before the rest.

        Also remove the files of segments that went earlier, once their delay is over.
        """
        while len(self._snapshots.ids) > 1 and (self._has_surplus() or self._has_expired(now_ms)):
            start = self._snapshots.ids[1].end_offset
            self._log.advance_log_start(start, now_ms)
            self._snapshots.remove_before(start)
            self.voters.trim_to(start - 1)
        self._log.tidy(now_ms)

    def _has_surplus(self) -> bool:
        limit = self._settings.retention_bytes
        return limit >= 0 and self._log.size + sum(map(self._snapshots.size_of, self._snapshots.ids)) > limit

    def _has_expired(self, now_ms: int) -> bool:
        limit = self._settings.retention_ms
        return limit >= 0 and now_ms - self._snapshots.timestamp_of(self._snapshots.ids[0]) > limit

    def bootstrap_records(self) -> tuple[VersionedRecord, ...]:
        """What the storage tool left for the first leader; empty where it left nothing."""
        for path in (f"{self._metadata_log_dir}/{BOOTSTRAP}", self._snapshots.path_of(SnapshotId(0, 0))):
            if self._disk.exists(path) and (records := read_snapshot(self._disk, path).records):
                return records
        return ()

    # -- the quorum state ---------------------------------------------------------------------------------------

    def read_quorum_state(self) -> QuorumState:
        """The epoch, leader and vote that this node remembers. ValueError where the file makes no sense."""
        return read_quorum_state(self._disk, self._directory)

    def write_quorum_state(self, state: QuorumState) -> None:
        """Remember them; durable on return."""
        voters = self.voters
        write_quorum_state(
            self._disk, self._directory, state, kraft_version=voters.kraft_version, voter_ids=voters.latest.ids
        )

    def close(self, now_ms: int) -> None:
        """Flush and release the log."""
        self._log.close(now_ms)
