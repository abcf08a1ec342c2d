"""Log folders are read as they stand, and replicas that disagree are told apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.replicas.divergence import Kind, divergences
from harness.replicas.replica_log import ReplicaLog, UnreadableLog, partitions_in, read_replica
from reference_broker.wire.records import Record, encode_batch

NOW = 1_700_000_000_000


def batch(base: int, count: int = 1, *, epoch: int = 0, value: bytes = b"v", **options: int) -> bytes:
    records = [Record(base + i, NOW + i, b"k", value) for i in range(count)]
    return encode_batch(records, base_offset=base, leader_epoch=epoch, **options)


def replica(tmp_path: Path, batches: Sequence[bytes], node: int = 1, *, epochs: str = "0\n1\n0 0\n") -> ReplicaLog:
    log_dir = tmp_path / f"node-{node}"
    folder = log_dir / "orders-0"
    folder.mkdir(parents=True)
    (folder / "00000000000000000000.log").write_bytes(b"".join(batches))
    (folder / "leader-epoch-checkpoint").write_text(epochs)
    return read_replica(node, log_dir, "orders", 0)


def kinds(*replicas: ReplicaLog, below: int = 100) -> list[Kind]:
    return [found.kind for found in divergences(replicas, below)]


def test_a_folder_gives_its_batches_epochs_and_ends(tmp_path: Path) -> None:
    log = replica(tmp_path, [batch(0, 3), batch(3, 2, epoch=4)], epochs="0\n2\n0 0\n4 3\n")

    assert [(one.base_offset, one.last_offset, one.leader_epoch) for one in log.batches] == [(0, 2, 0), (3, 4, 4)]
    assert (log.leader_epochs, log.log_start, log.log_end) == (((0, 0), (4, 3)), 0, 5)


def test_a_batch_that_is_being_written_is_no_damage(tmp_path: Path) -> None:
    log = replica(tmp_path, [batch(0), batch(1)[:-3]])

    assert (log.log_end, log.trailing_bytes) == (1, len(batch(1)) - 3)
    assert kinds(log) == []


def test_bytes_behind_the_last_batch_of_an_earlier_segment_are_refused(tmp_path: Path) -> None:
    replica(tmp_path, [batch(0), b"torn"])
    (tmp_path / "node-1" / "orders-0" / "00000000000000000001.log").write_bytes(batch(1))

    with pytest.raises(UnreadableLog, match=r"00000000000000000000\.log: 4 bytes behind"):
        read_replica(1, tmp_path / "node-1", "orders", 0)


def test_a_folder_without_a_segment_is_refused_with_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(UnreadableLog, match="orders-0"):
        read_replica(1, tmp_path, "orders", 0)


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableLog, match="leader-epoch-checkpoint"):
        replica(tmp_path, [batch(0)], epochs="0\n3\n0 0\n")


def test_the_log_start_is_that_of_its_checkpoint(tmp_path: Path) -> None:
    replica(tmp_path, [batch(0), batch(1)])
    (tmp_path / "node-1" / "log-start-offset-checkpoint").write_text("0\n1\norders 0 1\n")

    assert read_replica(1, tmp_path / "node-1", "orders", 0).log_start == 1


def test_deleted_moved_and_stray_partitions_are_not_listed(tmp_path: Path) -> None:
    for name in ("orders-0", "a-b-12", "orders-1.0123-delete", "orders-2.77-future", "orders-3.11-stray"):
        (tmp_path / name).mkdir()

    assert partitions_in(tmp_path) == [("a-b", 12), ("orders", 0)]


def test_equal_replicas_agree(tmp_path: Path) -> None:
    logs = [replica(tmp_path, [batch(0, 2), batch(2)], node) for node in (1, 2, 3)]

    assert kinds(*logs) == []


def test_other_bytes_at_an_offset_below_the_high_watermark_are_found(tmp_path: Path) -> None:
    one, other = replica(tmp_path, [batch(0)], 1), replica(tmp_path, [batch(0, value=b"other")], 2)

    assert kinds(one, other, below=1) == [Kind.DIFFERENT_BATCH]


def test_what_stands_above_the_high_watermark_may_differ(tmp_path: Path) -> None:
    one = replica(tmp_path, [batch(0), batch(1)], 1)
    other = replica(tmp_path, [batch(0), batch(1, value=b"other")], 2)

    assert kinds(one, other, below=1) == []


def test_a_batch_that_a_replica_lacks_is_found(tmp_path: Path) -> None:
    one, other = replica(tmp_path, [batch(0), batch(1)], 1), replica(tmp_path, [batch(0)], 2)

    assert kinds(one, other, below=2) == [Kind.MISSING_BATCH]


def test_a_batch_of_another_leader_epoch_is_another_batch(tmp_path: Path) -> None:
    one, other = replica(tmp_path, [batch(0, epoch=1)], 1), replica(tmp_path, [batch(0, epoch=2)], 2)

    assert kinds(one, other, below=1) == [Kind.DIFFERENT_BATCH]


def test_an_epoch_that_began_elsewhere_is_found(tmp_path: Path) -> None:
    batches = [batch(0), batch(1), batch(2)]
    one = replica(tmp_path, batches, 1, epochs="0\n2\n0 0\n3 1\n")
    other = replica(tmp_path, batches, 2, epochs="0\n2\n0 0\n3 2\n")

    assert kinds(one, other, below=3) == [Kind.DIFFERENT_EPOCHS]


def test_a_batch_whose_checksum_does_not_fit_is_found(tmp_path: Path) -> None:
    spoiled = bytearray(batch(0))
    spoiled[-1] ^= 1

    assert kinds(replica(tmp_path, [bytes(spoiled)])) == [Kind.DAMAGED_BATCH]


def test_an_offset_that_comes_twice_is_found(tmp_path: Path) -> None:
    assert kinds(replica(tmp_path, [batch(0, 3), batch(2)])) == [Kind.OFFSETS_OUT_OF_ORDER]


def test_a_leader_epoch_that_goes_back_is_found(tmp_path: Path) -> None:
    assert kinds(replica(tmp_path, [batch(0, epoch=2), batch(1, epoch=1)])) == [Kind.EPOCH_GOES_BACK]


def test_a_gap_in_a_producers_sequences_is_found(tmp_path: Path) -> None:
    own = {"producer_id": 7, "producer_epoch": 0}
    log = replica(tmp_path, [batch(0, 2, base_sequence=0, **own), batch(2, base_sequence=3, **own)])

    assert kinds(log) == [Kind.SEQUENCE_GAP]


def test_a_producer_of_a_new_epoch_begins_at_zero(tmp_path: Path) -> None:
    first = batch(0, 2, producer_id=7, producer_epoch=0, base_sequence=0)
    second = batch(2, producer_id=7, producer_epoch=1, base_sequence=0)

    assert kinds(replica(tmp_path, [first, second])) == []
