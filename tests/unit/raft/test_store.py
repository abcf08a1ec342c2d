"""The metadata log's store on a disk: appended to, truncated, flushed and opened again."""

from __future__ import annotations

from pathlib import Path

import pytest
from stores import NOTHING, ONE, TOPIC, TWO, Open, batch, led, voters_batch, write_snapshot

from reference_broker.raft.quorum_state import QuorumState
from reference_broker.raft.snapshots import SnapshotId
from reference_broker.raft.store import DIRECTORY
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import MalformedRequest, Uuid
from reference_broker.wire.refusal import KafkaError


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


def test_a_metadata_log_that_a_crash_has_cut_short_is_told_by_one_line(opened: Open, tmp_path: Path) -> None:
    led(opened(), 3)
    path = tmp_path / "data" / DIRECTORY / f"{0:020d}.log"
    path.write_bytes(path.read_bytes()[:-1])
    told: list[str] = []
    assert opened(on_warning=told.append).end_offset == 2
    (line,) = told
    assert "cut at offset 2" in line
