"""Stores of the metadata log on a disk, and what tests put into them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from reference_broker.raft.frames import ControlType, encode_control, encode_records
from reference_broker.raft.snapshots import SnapshotId
from reference_broker.raft.store import MetadataStore
from reference_broker.raft.voters import ReplicaKey, Voter, VoterSet
from reference_broker.wire.messages.k_raft_version_record import KRaftVersionRecord
from reference_broker.wire.messages.no_op_record import NoOpRecord
from reference_broker.wire.messages.topic_record import TopicRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import Uuid

NOTHING = (NoOpRecord(), 0)
TOPIC = (TopicRecord(name="t", topic_id=Uuid(b"i" * 16)), 0)
ONE = VoterSet.of([Voter(key=ReplicaKey(1, Uuid(b"a" * 16)))])
TWO = VoterSet.of([*ONE.voters, Voter(key=ReplicaKey(2, Uuid(b"b" * 16)))])

Open = Callable[..., MetadataStore]


def batch(*records: VersionedRecord, base: int = 0, epoch: int = 1, now_ms: int = 20) -> bytes:
    return encode_records(records or (NOTHING,), base_offset=base, epoch=epoch, now_ms=now_ms)


def voters_batch(voters: VoterSet, base: int = 0, epoch: int = 1) -> bytes:
    messages: Sequence[tuple[ControlType, object]] = [
        (ControlType.KRAFT_VERSION, KRaftVersionRecord(k_raft_version=1)),
        (ControlType.KRAFT_VOTERS, voters.to_record()),
    ]
    return encode_control(messages, base_offset=base, epoch=epoch, now_ms=20)


def led(store: MetadataStore, count: int, epoch: int = 1) -> MetadataStore:
    for _ in range(count):
        store.append_as_leader(batch(), epoch, 20)
    return store


def write_snapshot(store: MetadataStore, snapshot_id: SnapshotId, records: tuple[Any, ...], now_ms: int) -> None:
    """To the end and to stable storage."""
    draft = store.begin_snapshot(snapshot_id, records, now_ms)
    while draft is not None and not draft.is_whole:
        draft.write_some()
    if draft is not None:
        draft.flush()
        store.adopt_snapshot(draft, now_ms)
