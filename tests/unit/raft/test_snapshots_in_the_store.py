"""Snapshots of the metadata log on a disk: written, downloaded, and what goes with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from stores import NOTHING, ONE, TOPIC, TWO, Open, batch, led, voters_batch, write_snapshot

from reference_broker.raft.settings import StoreSettings
from reference_broker.raft.snapshot_files import SnapshotDownload
from reference_broker.raft.snapshots import Snapshot, SnapshotId, encode_snapshot, read_snapshot
from reference_broker.raft.store import DIRECTORY, MetadataStore
from reference_broker.server.disk import OsDisk
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.refusal import KafkaError


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
