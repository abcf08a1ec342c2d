"""The metadata log's store on a disk: appended to, truncated, snapshotted, cleaned and opened again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from reference_broker.raft.frames import ControlType, encode_control, encode_records
from reference_broker.raft.quorum_state import QuorumState
from reference_broker.raft.settings import StoreSettings
from reference_broker.raft.snapshot_files import SnapshotDownload
from reference_broker.raft.snapshots import Snapshot, SnapshotId, encode_snapshot, read_snapshot
from reference_broker.raft.store import DIRECTORY, MetadataStore
from reference_broker.raft.voters import ReplicaKey, Voter, VoterSet
from reference_broker.server.disk import OsDisk
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.k_raft_version_record import KRaftVersionRecord
from reference_broker.wire.messages.no_op_record import NoOpRecord
from reference_broker.wire.messages.topic_record import TopicRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import MalformedRequest, Uuid
from reference_broker.wire.refusal import KafkaError

NOTHING = (NoOpRecord(), 0)
TOPIC = (TopicRecord(name="t", topic_id=Uuid(b"i" * 16)), 0)
ONE = VoterSet.of([Voter(key=ReplicaKey(1, Uuid(b"a" * 16)))])
TWO = VoterSet.of([*ONE.voters, Voter(key=ReplicaKey(2, Uuid(b"b" * 16)))])
NO_LIMIT = StoreSettings(retention_bytes=-1, retention_ms=-1)

Open = Callable[..., MetadataStore]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    def open_store(settings: StoreSettings = NO_LIMIT, folder: str = "data") -> MetadataStore:
        return MetadataStore.open(disk=OsDisk(), metadata_log_dir=str(tmp_path / folder), settings=settings, now_ms=10)

    return open_store


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


def test_a_leaders_batch_gets_its_offsets_and_epoch(opened: Open) -> None:
    store = led(opened(), 2)
    last = store.append_as_leader(batch(TOPIC, NOTHING), 3, 25)
    (found,) = store.batches(2, 4)
    assert (last, found.base_offset, found.epoch, found.records) == (3, 2, 3, (TOPIC, NOTHING))


def test_batches_that_end_beyond_the_commit_are_not_told(opened: Open) -> None:
    store = opened()
    store.append_as_leader(batch(TOPIC, NOTHING), 1, 20)
    store.append_as_leader(batch(TOPIC, NOTHING), 1, 20)
    assert [found.last_offset for found in store.batches(0, 3)] == [1]


def test_a_follower_has_the_leaders_bytes(opened: Open) -> None:
    leader, follower = opened(), opened(folder="other")
    led(leader, 3).append_as_leader(voters_batch(TWO), 2, 20)
    follower.append_as_follower(leader.read(0, 1 << 20), 30)
    assert (follower.read(0, 1 << 20), follower.voters.latest) == (leader.read(0, 1 << 20), TWO)


def test_a_batch_that_was_cut_short_is_left_out(opened: Open) -> None:
    follower = opened()
    follower.append_as_follower(batch() + batch(base=1)[:-1], 30)
    assert follower.end_offset == 1


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (batch(base=1, epoch=2)[:-1] + b"\xff", "does not match its CRC"),
        (batch(base=2, epoch=2), "does not follow the log, which ends at 1"),
        (batch(base=0, epoch=2), "does not follow the log, which ends at 1"),
        (batch(base=1, epoch=1), "is of epoch 1, after one of epoch 2"),
        (batch(base=1, epoch=4), "is of epoch 4, which its sender does not lead: that is 3"),
    ],
)
def test_a_follower_appends_up_to_the_first_fault(opened: Open, wrong: bytes, text: str) -> None:
    follower = opened()
    with pytest.raises(MalformedRequest, match=text):
        follower.append_as_follower(batch(epoch=2) + wrong + batch(base=2, epoch=3), 30, leader_epoch=3)
    assert follower.end_offset == 1


def test_a_read_ends_with_a_whole_batch(opened: Open) -> None:
    store = led(opened(), 3)
    assert store.read(1, len(batch()) + 5) == batch(base=1)


def test_a_read_has_one_batch_at_least(opened: Open) -> None:
    assert led(opened(), 3).read(1, 1) == batch(base=1)


def test_a_read_outside_of_the_log_is_refused(opened: Open) -> None:
    with pytest.raises(KafkaError) as refusal:
        led(opened(), 3).read(4, 100)
    assert refusal.value.code is ErrorCode.OFFSET_OUT_OF_RANGE


def test_voters_count_from_the_append_on(opened: Open) -> None:
    store = led(opened(), 1)
    store.append_as_leader(voters_batch(ONE), 1, 20)
    assert (store.voters.latest, store.voters.latest_offset, store.voters.kraft_version) == (ONE, 2, 1)


def test_truncated_voters_count_no_more(opened: Open) -> None:
    store = opened()
    store.append_as_leader(voters_batch(ONE), 1, 20)
    store.append_as_leader(voters_batch(TWO), 1, 20)
    store.truncate_to(2)
    assert (store.end_offset, store.voters.latest) == (2, ONE)


def test_committed_records_are_never_truncated(opened: Open) -> None:
    store = led(opened(), 3)
    with pytest.raises(ValueError, match="below the high watermark 2"):
        store.truncate_to(1, high_watermark=2)


def test_all_is_there_after_a_restart(opened: Open) -> None:
    store = led(opened(), 2)
    store.append_as_leader(voters_batch(TWO), 3, 25)
    store.close(30)
    again = opened()
    state = (again.end_offset, again.last_epoch, again.voters.latest, again.last_timestamp_ms, again.flushed_offset)
    assert state == (4, 3, TWO, 20, 4)


def test_what_was_appended_is_durable_once_it_was_flushed(opened: Open) -> None:
    store = led(opened(), 2)
    for target in store.flush_targets():
        target.flush()
    led(store, 1)
    store.note_flushed(2)
    assert (store.flushed_offset, store.end_offset) == (2, 3)


def test_a_flush_says_nothing_of_what_was_truncated_and_written_anew(opened: Open) -> None:
    store = led(opened(), 3)
    store.flush_targets()
    store.truncate_to(1)
    led(store, 2, epoch=2)
    store.note_flushed(3)
    assert store.flushed_offset == 1


def test_a_segment_that_was_truncated_away_needs_no_flush(opened: Open) -> None:
    store = led(opened(), 1)
    targets = store.flush_targets()
    write_snapshot(store, SnapshotId(1, 1), (TOPIC,), 30)
    store.truncate_to_snapshot(SnapshotId(1, 1))
    for target in targets:
        target.flush()
    assert store.end_offset == 1


@pytest.mark.parametrize(("epoch", "expected"), [(0, (0, 0)), (1, (1, 2)), (2, (1, 2)), (3, (3, 5)), (9, (3, 5))])
def test_an_epoch_ends_where_the_next_begins(opened: Open, epoch: int, expected: tuple[int, int]) -> None:
    store = led(led(opened(), 2, epoch=1), 3, epoch=3)
    assert store.end_offset_for_epoch(epoch) == expected


def write_snapshot(store: MetadataStore, snapshot_id: SnapshotId, records: tuple[Any, ...], now_ms: int) -> None:
    """To the end and to stable storage."""
    draft = store.begin_snapshot(snapshot_id, records, now_ms)
    while draft is not None and not draft.is_whole:
        draft.write_some()
    if draft is not None:
        draft.flush()
        store.adopt_snapshot(draft, now_ms)


def written(folder: Path, snapshot_id: SnapshotId) -> Snapshot:
    return read_snapshot(OsDisk(), str(folder / "data" / DIRECTORY / snapshot_id.file_name))


def test_a_snapshot_does_not_count_before_it_is_flushed(opened: Open) -> None:
    store = led(opened(), 1)
    draft = store.begin_snapshot(SnapshotId(1, 1), (TOPIC,), 30)
    assert draft is not None
    draft.write_some()
    assert (draft.is_whole, store.latest_snapshot) == (True, None)


def test_a_large_snapshot_is_written_in_slices(opened: Open) -> None:
    store = led(opened(), 1)
    draft = store.begin_snapshot(SnapshotId(1, 1), (TOPIC,) * 5000, 30)
    assert draft is not None
    draft.write_some()
    assert not draft.is_whole
    while not draft.is_whole:
        draft.write_some()
    draft.flush()
    store.adopt_snapshot(draft, 30)
    assert len(list(store.snapshot_records(SnapshotId(1, 1)))) == 5000


def test_a_restart_forgets_an_unfinished_snapshot(opened: Open, tmp_path: Path) -> None:
    store = led(opened(), 1)
    store.begin_snapshot(SnapshotId(1, 1), (TOPIC,), 30)
    store.close(30)
    assert opened().latest_snapshot is None
    assert not [path.name for path in (tmp_path / "data" / DIRECTORY).iterdir() if path.name.endswith(".part")]


def test_a_snapshot_that_comes_too_late_is_dropped(opened: Open) -> None:
    store = led(opened(), 3)
    draft = store.begin_snapshot(SnapshotId(1, 1), (TOPIC,), 30)
    assert draft is not None
    draft.write_some()
    write_snapshot(store, SnapshotId(3, 1), (TOPIC,), 30)
    store.truncate_to_snapshot(SnapshotId(3, 1))
    draft.flush()
    store.adopt_snapshot(draft, 30)
    assert store.earliest_snapshot == SnapshotId(3, 1)


def test_a_snapshot_stands_for_the_epochs_before_the_log(opened: Open) -> None:
    store = led(opened(), 2, epoch=1)
    write_snapshot(store, SnapshotId(2, 1), (TOPIC,), 30)
    store.truncate_to_snapshot(SnapshotId(2, 1))
    led(store, 1, epoch=3)
    assert (store.end_offset_for_epoch(2), store.log_start_offset, store.last_epoch) == ((1, 2), 2, 3)


def test_a_snapshot_keeps_the_voters_at_its_offset(opened: Open, tmp_path: Path) -> None:
    store = opened()
    store.append_as_leader(voters_batch(ONE), 1, 20)
    store.append_as_leader(voters_batch(TWO), 1, 20)
    write_snapshot(store, SnapshotId(2, 1), (TOPIC,), 30)
    found = written(tmp_path, SnapshotId(2, 1))
    assert (found.records, found.kraft_version, found.voters) == ((TOPIC,), 1, ONE.to_record())


def test_a_snapshot_tells_the_time_of_its_last_record(opened: Open, tmp_path: Path) -> None:
    store = opened()
    for now_ms in (20, 30, 40):
        store.append_as_leader(batch(now_ms=now_ms), 1, now_ms)
    write_snapshot(store, SnapshotId(2, 1), (TOPIC,), 50)
    assert written(tmp_path, SnapshotId(2, 1)).last_timestamp_ms == 30


@pytest.mark.parametrize("wrong", [SnapshotId(3, 1), SnapshotId(4, 2), SnapshotId(1, 1)])
def test_a_snapshot_stands_between_batches_of_its_epoch(opened: Open, wrong: SnapshotId) -> None:
    store = opened()
    store.append_as_leader(batch(NOTHING, NOTHING), 1, 20)
    store.append_as_leader(batch(), 2, 20)
    with pytest.raises(ValueError, match="no snapshot"):
        write_snapshot(store, wrong, (TOPIC,), 30)


def check(download: SnapshotDownload) -> int:
    """Checks a download to its end; in how many slices."""
    slices = 1
    while not download.check_some():
        slices += 1
    return slices


def test_a_large_download_is_checked_in_slices(opened: Open) -> None:
    download = opened().begin_download(SnapshotId(4, 1))
    download.append(0, encode_snapshot(Snapshot(records=(TOPIC,) * 2000), epoch=1, now_ms=2))
    assert (check(download) > 2, download.is_whole) == (True, True)


def test_a_download_is_a_snapshot_once_it_is_finished(opened: Open) -> None:
    leader, follower = led(opened(), 4), opened(folder="other")
    newest = SnapshotId(4, 1)
    write_snapshot(leader, newest, (TOPIC,), 30)
    download = follower.begin_download(newest)
    total = 1
    while download.position < total:
        total, part = leader.snapshot_bytes(newest, download.position, 50)
        download.append(download.position, part)
    check(download)
    download.flush()
    follower.truncate_to_snapshot(newest)
    state = (follower.latest_snapshot, follower.log_start_offset, follower.end_offset, follower.last_epoch)
    assert state == (newest, 4, 4, 1)


def test_a_download_takes_bytes_in_order(opened: Open) -> None:
    download = opened().begin_download(SnapshotId(4, 1))
    download.append(0, b"abc")
    with pytest.raises(MalformedRequest, match="from 2 on, but 3 are there"):
        download.append(2, b"cd")


def test_nothing_stays_of_a_corrupt_download(opened: Open, tmp_path: Path) -> None:
    store = opened()
    download = store.begin_download(SnapshotId(4, 1))
    download.append(0, encode_snapshot(Snapshot(records=(TOPIC,)), epoch=1, now_ms=2)[:-10])
    with pytest.raises(MalformedRequest):
        check(download)
    download.abandon()
    names = [path.name for path in (tmp_path / "data" / DIRECTORY).iterdir()]
    assert not [name for name in names if "checkpoint" in name and "leader-epoch" not in name]


def test_a_snapshot_that_is_not_there_is_not_found(opened: Open) -> None:
    with pytest.raises(KafkaError) as refusal:
        opened().snapshot_bytes(SnapshotId(4, 1), 0, 100)
    assert refusal.value.code is ErrorCode.SNAPSHOT_NOT_FOUND


def test_a_position_behind_the_snapshot_is_out_of_range(opened: Open) -> None:
    store = led(opened(), 1)
    write_snapshot(store, SnapshotId(1, 1), (TOPIC,), 30)
    total, _ = store.snapshot_bytes(SnapshotId(1, 1), 0, 1)
    with pytest.raises(KafkaError) as refusal:
        store.snapshot_bytes(SnapshotId(1, 1), total, 100)
    assert refusal.value.code is ErrorCode.POSITION_OUT_OF_RANGE


def test_a_restart_finishes_what_a_download_began(opened: Open) -> None:
    store = led(opened(), 1)
    download = store.begin_download(SnapshotId(7, 2))
    download.append(0, encode_snapshot(Snapshot(records=(TOPIC,), last_timestamp_ms=9), epoch=2, now_ms=2))
    check(download)
    download.flush()
    store.close(30)
    again = opened()
    assert (again.log_start_offset, again.end_offset, again.last_epoch, again.last_timestamp_ms) == (7, 7, 2, 9)


def test_a_log_without_its_beginning_is_not_opened(opened: Open, tmp_path: Path) -> None:
    store = led(opened(), 1)
    write_snapshot(store, SnapshotId(1, 1), (TOPIC,), 30)
    store.truncate_to_snapshot(SnapshotId(1, 1))
    led(store, 1).close(30)
    (tmp_path / "data" / DIRECTORY / SnapshotId(1, 1).file_name).unlink()
    with pytest.raises(ValueError, match="the log begins at offset 1, and no snapshot holds what came before"):
        opened()


def with_snapshots(store: MetadataStore, count: int = 3) -> MetadataStore:
    for end_offset in range(1, count + 1):
        store.append_as_leader(batch(now_ms=end_offset * 100), 1, end_offset * 100)
        write_snapshot(store, SnapshotId(end_offset, 1), (TOPIC,), end_offset * 100)
    return store


def test_old_snapshots_go_with_the_log_before_the_rest(opened: Open) -> None:
    store = with_snapshots(opened(StoreSettings(retention_bytes=-1, retention_ms=150)))
    store.clean(300)
    assert (store.earliest_snapshot, store.log_start_offset) == (SnapshotId(2, 1), 2)


def test_the_newest_snapshot_stays(opened: Open) -> None:
    store = with_snapshots(opened(StoreSettings(retention_bytes=0, retention_ms=0)))
    store.clean(1 << 50)
    assert (store.earliest_snapshot, store.log_start_offset) == (SnapshotId(3, 1), 3)


def test_the_voters_at_the_logs_new_start_are_known(opened: Open) -> None:
    store = opened(StoreSettings(retention_bytes=0, retention_ms=-1))
    store.append_as_leader(voters_batch(ONE), 1, 20)
    write_snapshot(store, SnapshotId(2, 1), (TOPIC,), 30)
    store.append_as_leader(batch(), 1, 20)
    write_snapshot(store, SnapshotId(3, 1), (TOPIC,), 30)
    store.clean(50)
    assert store.voters.at(store.log_start_offset - 1) == ONE


def test_a_vote_is_remembered(opened: Open) -> None:
    store = opened()
    store.append_as_leader(voters_batch(ONE), 1, 20)
    state = QuorumState(leader_epoch=4, voted_id=2, voted_directory_id=Uuid(b"b" * 16))
    store.write_quorum_state(state)
    assert opened().read_quorum_state() == state


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("null", "it is not a JSON object"),
        ("[]", "it is not a JSON object"),
        ("{}", "data_version is not a whole number"),
        ('{"leaderId":1,"leaderEpoch":1,"votedId":-1,"data_version":9}', "data_version 9 is not known"),
        ('{"leaderId":"x","leaderEpoch":1,"votedId":-1,"data_version":1}', "leaderId is not a whole number"),
        ('{"leaderId":-1,"leaderEpoch":2147483647,"votedId":-1,"data_version":1}', "leaderEpoch is not a whole number"),
        ('{"leaderId":-1,"leaderEpoch":1,"votedId":-1,"votedDirectoryId":7,"data_version":1}', "is not a text"),
    ],
)
def test_a_file_of_votes_that_makes_no_sense_is_refused_by_name(
    opened: Open, tmp_path: Path, text: str, words: str
) -> None:
    store = opened()
    (tmp_path / "data" / DIRECTORY / "quorum-state").write_text(text)
    with pytest.raises(ValueError, match=f"quorum-state: .*{words}"):
        store.read_quorum_state()
