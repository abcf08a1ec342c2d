"""The metadata log and who leads it: a quorum of one voter, this node.

What is appended is flushed and so committed at once; with one voter the high watermark is the log's end. Source:
KIP-595 (quorum), KIP-630 (snapshots), KIP-853 (voters).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reference_broker.configs import BrokerConfig
from reference_broker.environment import Disk
from reference_broker.log.config import LogConfig
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.recovery import open_log
from reference_broker.raft.frames import (
    ControlType,
    decode_control,
    decode_records,
    encode_control,
    encode_records,
)
from reference_broker.raft.quorum_state import QuorumState, read_quorum_state, write_quorum_state
from reference_broker.raft.snapshots import (
    BOOTSTRAP,
    Snapshot,
    SnapshotId,
    encode_snapshot,
    list_snapshots,
    read_snapshot,
)
from reference_broker.wire.messages.k_raft_version_record import KRaftVersionRecord
from reference_broker.wire.messages.leader_change_message import LeaderChangeMessage
from reference_broker.wire.messages.leader_change_message import Voter as ChangeVoter
from reference_broker.wire.messages.voters_record import Endpoint, KRaftVersionFeature, Voter, VotersRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import BrokerId, Uuid

TOPIC: Final = "__cluster_metadata"
TOPIC_ID: Final = Uuid(bytes(15) + b"\1")
DIRECTORY: Final = TOPIC + "-0"
RECORDS_PER_BATCH: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A committed batch read back. `is_snapshot` stands for all that came before `last_offset + 1`."""

    base_offset: int
    last_offset: int
    epoch: int
    timestamp_ms: int
    records: tuple[VersionedRecord, ...]
    is_snapshot: bool = False


class Quorum:
    """The quorum as its only voter sees it. Made by `open`; may raise OSError from every method that writes."""

    def __init__(
        self,
        *,
        disk: Disk,
        metadata_log_dir: str,
        log: PartitionLog,
        state: QuorumState,
        config: BrokerConfig,
        directory_id: Uuid,
    ) -> None:
        self._disk, self._metadata_log_dir, self._log, self._config = disk, metadata_log_dir, log, config
        self._directory = f"{metadata_log_dir}/{DIRECTORY}"
        self.node_id, self.directory_id = config.node_id, directory_id
        self.kraft_version = 0
        self._voters: VotersRecord | None = None
        self.leader_epoch = max(state.leader_epoch, log.epochs.latest)
        self.bytes_since_snapshot = 0
        self.last_snapshot_ms = 0
        self.last_timestamp_ms = 0

    @classmethod
    def open(
        cls, *, disk: Disk, metadata_log_dir: str, config: BrokerConfig, directory_id: Uuid, now_ms: int
    ) -> Quorum:
        """Open the log under a metadata log folder; what a crash tore off is cut."""
        directory = f"{metadata_log_dir}/{DIRECTORY}"
        disk.make_directories(directory)
        snapshots = list_snapshots(disk, directory)
        log = open_log(
            disk=disk,
            directory=directory,
            topic=TOPIC,
            partition=0,
            topic_id=TOPIC_ID,
            config=LogConfig(
                segment_bytes=config.number("metadata.log.segment.bytes"),
                segment_ms=config.number("metadata.log.segment.ms"),
                retention_ms=-1,
                retention_bytes=-1,
                max_message_bytes=1 << 30,
            ),
            is_clean=False,
            recovery_point=0,
            log_start_offset=snapshots[0].end_offset if snapshots else 0,
        )
        state = read_quorum_state(disk, directory)
        quorum = cls(
            disk=disk, metadata_log_dir=metadata_log_dir, log=log, state=state, config=config, directory_id=directory_id
        )
        quorum.last_snapshot_ms = now_ms
        return quorum

    # -- reading ------------------------------------------------------------------------------------------------

    @property
    def high_watermark(self) -> int:
        """The offset behind the last committed record."""
        return self._log.log_end_offset

    @property
    def log_start_offset(self) -> int:
        """The first offset that is still in the log."""
        return self._log.log_start_offset

    @property
    def size(self) -> int:
        """Bytes in the log's segments."""
        return self._log.size

    @property
    def voters(self) -> VotersRecord | None:
        """The voter set that the log tells; None for a static quorum."""
        return self._voters

    @property
    def voter_ids(self) -> tuple[int, ...]:
        """The voters' node ids."""
        if self.voters is not None:
            return tuple(voter.voter_id for voter in self.voters.voters)
        return tuple(voter.id for voter in self._config.static_voters) or (self.node_id,)

    def load(self) -> Iterator[Loaded]:
        """All that was committed before: the newest snapshot, then the log behind it. To be read once, at the start."""
        start = 0
        snapshots = list_snapshots(self._disk, self._directory)
        if snapshots:
            newest = snapshots[-1]
            found = read_snapshot(self._disk, f"{self._directory}/{newest.file_name}")
            self.kraft_version, self._voters = found.kraft_version, found.voters
            self.last_timestamp_ms = found.last_timestamp_ms
            start = newest.end_offset
            yield Loaded(
                base_offset=0,
                last_offset=start - 1,
                epoch=newest.epoch,
                timestamp_ms=found.last_timestamp_ms,
                # Before the first record there is nothing but what the first leader is to write (KIP-1170).
                records=found.records if start else (),
                is_snapshot=True,
            )
        for batch in self._log.batches_from(start):
            header = batch.header
            if header.next_offset <= start:
                continue
            self.bytes_since_snapshot += header.size_in_bytes
            self.last_timestamp_ms = header.max_timestamp
            records: tuple[VersionedRecord, ...] = ()
            if header.is_control:
                for kind, message in decode_control(batch):
                    if kind is ControlType.KRAFT_VERSION:
                        self.kraft_version = message.k_raft_version
                    elif kind is ControlType.KRAFT_VOTERS:
                        self._voters = message
            else:
                records = tuple(decode_records(batch))
            yield Loaded(
                base_offset=header.base_offset,
                last_offset=header.last_offset,
                epoch=header.partition_leader_epoch,
                timestamp_ms=header.max_timestamp,
                records=records,
            )

    def bootstrap_records(self) -> tuple[VersionedRecord, ...]:
        """What the storage tool left for the first leader; empty where it left nothing."""
        for path in (f"{self._metadata_log_dir}/{BOOTSTRAP}", f"{self._directory}/{SnapshotId(0, 0).file_name}"):
            if self._disk.exists(path) and (records := read_snapshot(self._disk, path).records):
                return records
        return ()

    # -- leading ------------------------------------------------------------------------------------------------

    def lead(self, now_ms: int) -> None:
        """Win the election of one: a new epoch, remembered before anything is written in it."""
        if self.voter_ids != (self.node_id,):
            raise ValueError(f"this node, {self.node_id}, is not the only voter of the quorum {self.voter_ids}")
        self.leader_epoch += 1
        self._write_state()
        us = (ChangeVoter(voter_id=self.node_id),)
        messages: list[tuple[ControlType, object]] = [
            (
                ControlType.LEADER_CHANGE,
                LeaderChangeMessage(leader_id=BrokerId(self.node_id), voters=us, granting_voters=us),
            )
        ]
        if self.kraft_version > 0 and self._log.log_end_offset == 0 and self.voters is not None:
            messages.append((ControlType.KRAFT_VERSION, KRaftVersionRecord(k_raft_version=self.kraft_version)))
            messages.append((ControlType.KRAFT_VOTERS, self.voters))
        batch = encode_control(messages, base_offset=self.high_watermark, epoch=self.leader_epoch, now_ms=now_ms)
        self._append(batch, now_ms)

    def append(self, records: Sequence[VersionedRecord], now_ms: int, *, must_last: bool = True) -> int:
        """Append and commit; all records stand in one batch, so they count together or not at all.

        Returns the offset of the last one. `must_last` False is for records whose loss with the power changes
        nothing: they do not wait for the disk.
        """
        batch = encode_records(records, base_offset=self.high_watermark, epoch=self.leader_epoch, now_ms=now_ms)
        self._append(batch, now_ms, must_last=must_last)
        return self.high_watermark - 1

    def _append(self, batch: bytes, now_ms: int, *, must_last: bool = True) -> None:
        self._log.append_own(batch, self.leader_epoch, now_ms)
        if must_last:
            self._log.flush(now_ms)
        self._log.high_watermark = self._log.log_end_offset
        self.bytes_since_snapshot += len(batch)
        self.last_timestamp_ms = now_ms

    def _write_state(self) -> None:
        state = QuorumState(leader_id=self.node_id, leader_epoch=self.leader_epoch)
        write_quorum_state(
            self._disk, self._directory, state, kraft_version=self.kraft_version, voter_ids=self.voter_ids
        )

    # -- snapshots ----------------------------------------------------------------------------------------------

    def is_snapshot_due(self, now_ms: int) -> bool:
        """Whether enough was written, or enough time went by, since the last snapshot."""
        interval = self._config.number("metadata.log.max.snapshot.interval.ms")
        limit = self._config.number("metadata.log.max.record.bytes.between.snapshots")
        has_news = self.bytes_since_snapshot > 0
        return has_news and (
            self.bytes_since_snapshot >= limit or (interval > 0 and now_ms - self.last_snapshot_ms >= interval)
        )

    def write_snapshot(self, records: Sequence[VersionedRecord], now_ms: int) -> SnapshotId:
        """Write the state at the log's end, then drop old snapshots and the log before them."""
        snapshot_id = SnapshotId(self.high_watermark, self._log.epochs.latest)
        content = Snapshot(
            records=tuple(records),
            kraft_version=self.kraft_version,
            voters=self.voters,
            last_timestamp_ms=self.last_timestamp_ms,
        )
        path = f"{self._directory}/{snapshot_id.file_name}"
        if not self._disk.exists(path):
            data = encode_snapshot(content, epoch=snapshot_id.epoch, now_ms=now_ms)
            self._disk.write_atomically(path, data)
        self.bytes_since_snapshot, self.last_snapshot_ms = 0, now_ms
        self._clean(now_ms)
        return snapshot_id

    def _clean(self, now_ms: int) -> None:
        """Old snapshots go by metadata.max.retention.bytes and .ms, never the newest; the log before the oldest too."""
        limit_bytes = self._config.number("metadata.max.retention.bytes")
        limit_ms = self._config.number("metadata.max.retention.ms")
        snapshots = list_snapshots(self._disk, self._directory)
        sizes = {one: self._disk.size(f"{self._directory}/{one.file_name}") for one in snapshots}
        while len(snapshots) > 1:
            oldest = f"{self._directory}/{snapshots[0].file_name}"
            is_surplus = 0 <= limit_bytes < self._log.size + sum(sizes[one] for one in snapshots)
            is_old = 0 <= limit_ms < now_ms - self._disk.modified_ms(oldest)
            if not is_surplus and not is_old:
                break
            self._disk.remove(oldest)
            snapshots.pop(0)
            self._log.advance_log_start(snapshots[0].end_offset, now_ms)

    def sweep(self, now_ms: int) -> None:
        """Remove the files of dropped segments once their delay is over."""
        self._log.sweep(now_ms, 1 << 62)

    def close(self, now_ms: int) -> None:
        """Flush and release the log."""
        self._log.close(now_ms)


def voters_record(node_id: int, directory_id: Uuid, endpoints: Sequence[tuple[str, str, int]]) -> VotersRecord:
    """A voter set of one; endpoints are (listener, host, port)."""
    voter = Voter(
        voter_id=BrokerId(node_id),
        voter_directory_id=directory_id,
        endpoints=tuple(Endpoint(name=name, host=host, port=port) for name, host, port in endpoints),
        k_raft_version_feature=KRaftVersionFeature(min_supported_version=0, max_supported_version=1),
    )
    return VotersRecord(voters=(voter,))
