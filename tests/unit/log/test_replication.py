"""A follower's log: what it takes from its leader, and what it cuts off."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from log_on_disk import NOW, batch, opened, values

from reference_broker.log.partition_log import PartitionLog
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.refusal import KafkaError


def stored(log: PartitionLog, offset: int = 0) -> bytes:
    return b"".join(bytes(one.data) for one in log.batches_from(offset))


def led(folder: Path, batches: int = 4, *, epoch: int = 0, **settings: Any) -> PartitionLog:
    log = opened(folder / "leader", **settings)
    for at in range(batches):
        log.append_own(batch(2, timestamp=NOW + at), epoch, NOW)
    return log


def refused(log: PartitionLog, records: bytes, epoch: int = 9) -> ErrorCode:
    with pytest.raises(KafkaError) as error:
        log.append_as_follower(records, epoch, NOW)
    return error.value.code


def test_a_follower_keeps_the_bytes_of_its_leader(tmp_path: Path) -> None:
    leader, follower = led(tmp_path), opened(tmp_path / "follower")
    assert follower.append_as_follower(stored(leader), 0, NOW) == leader.size
    assert stored(follower) == stored(leader)


def test_a_follower_rolls_where_its_leader_rolled(tmp_path: Path) -> None:
    leader, follower = led(tmp_path, 9, segment_bytes=400), opened(tmp_path / "follower", segment_bytes=400)
    follower.append_as_follower(stored(leader), 0, NOW)
    assert [one.base_offset for one in follower.segments] == [one.base_offset for one in leader.segments]


def test_a_follower_learns_leader_epochs_from_batches(tmp_path: Path) -> None:
    leader = led(tmp_path)
    leader.append_own(batch(), 3, NOW)
    follower = opened(tmp_path / "follower")
    follower.append_as_follower(stored(leader), 3, NOW)
    assert follower.epochs.entries == [(0, 0), (3, 8)]


def test_a_batch_of_a_later_epoch_than_the_leaders_is_left_for_later(tmp_path: Path) -> None:
    leader = led(tmp_path)
    leader.append_own(batch(), 3, NOW)
    follower = opened(tmp_path / "follower")
    follower.append_as_follower(stored(leader), 2, NOW)
    assert follower.log_end_offset == 8


def test_a_part_of_a_batch_at_the_end_is_left_out(tmp_path: Path) -> None:
    leader, follower = led(tmp_path), opened(tmp_path / "follower")
    follower.append_as_follower(stored(leader)[:-1], 0, NOW)
    assert follower.log_end_offset == 6


def test_gaps_of_a_compacted_log_are_kept(tmp_path: Path) -> None:
    leader, follower = led(tmp_path), opened(tmp_path / "follower")
    first, _, third, *_ = (bytes(one.data) for one in leader.batches_from(0))
    follower.append_as_follower(first + third, 0, NOW)
    assert [offset for offset, _ in values(follower)] == [0, 1, 4, 5]


def test_a_batch_that_does_not_match_its_checksum_appends_nothing(tmp_path: Path) -> None:
    leader, follower = led(tmp_path), opened(tmp_path / "follower")
    raw = stored(leader)
    assert refused(follower, raw[:-1] + bytes([raw[-1] ^ 1])) == ErrorCode.CORRUPT_MESSAGE
    assert follower.log_end_offset == 0


def test_a_batch_before_the_logs_end_is_refused(tmp_path: Path) -> None:
    leader, follower = led(tmp_path), opened(tmp_path / "follower")
    follower.append_as_follower(stored(leader), 0, NOW)
    assert refused(follower, stored(leader)) == ErrorCode.CORRUPT_MESSAGE


def test_a_batch_of_an_earlier_epoch_than_the_last_is_refused(tmp_path: Path) -> None:
    follower = opened(tmp_path / "follower")
    follower.append_own(batch(), 4, NOW)
    other = led(tmp_path, 2, epoch=3)
    assert refused(follower, stored(other, 2)) == ErrorCode.CORRUPT_MESSAGE


def test_an_empty_log_begins_with_the_batch_in_which_the_leaders_log_starts(tmp_path: Path) -> None:
    leader, follower = led(tmp_path), opened(tmp_path / "follower")
    follower.truncate_fully(3)
    follower.append_as_follower(stored(leader, 3), 0, NOW)
    assert (follower.log_start_offset, follower.log_end_offset) == (2, 8)


def test_a_fully_truncated_log_goes_on_at_another_offset(tmp_path: Path) -> None:
    log = led(tmp_path)
    log.truncate_fully(100)
    assert log.append_own(batch(), 1, NOW).first_offset == 100
    assert (log.log_start_offset, log.epochs.entries) == (100, [(1, 100)])


def test_a_cut_inside_a_batch_drops_it_whole(tmp_path: Path) -> None:
    log = led(tmp_path)
    log.truncate_to(5)
    assert log.log_end_offset == 4


def test_a_cut_forgets_the_producers_of_what_is_gone(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for sequence in (0, 1):
        log.append_own(batch(producer_id=7, producer_epoch=0, base_sequence=sequence), 0, NOW)
    log.truncate_to(1)
    assert [one.last_sequence for one in log.active_producers()] == [0]


@pytest.mark.parametrize("seed", range(8))
def test_a_truncated_log_is_as_if_the_rest_had_never_been_there(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    settings = {"segment_bytes": 3000, "index_interval_bytes": 200}
    log, shadow = opened(tmp_path / "log", **settings), opened(tmp_path / "shadow", **settings)
    batches = [batch(chance.randrange(1, 4), timestamp=NOW + chance.randrange(1000)) for _ in range(40)]
    for one in batches:
        log.append_own(one, 0, NOW)
    kept = chance.randrange(1, 39)
    for one in batches[:kept]:
        shadow.append_own(one, 0, NOW)
    log.truncate_to(shadow.log_end_offset)
    for one in batches[:10]:
        log.append_own(one, 0, NOW)
        shadow.append_own(one, 0, NOW)
    assert stored(log) == stored(shadow)
    for timestamp in range(NOW, NOW + 1000, 50):
        assert log.offset_at_time(timestamp) == shadow.offset_at_time(timestamp)
    for offset in range(log.log_end_offset):
        one, other = log.place_of(offset), shadow.place_of(offset)
        assert (one[0].base_offset, one[1]) == (other[0].base_offset, other[1])
