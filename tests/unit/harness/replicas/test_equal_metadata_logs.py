"""The metadata logs of several nodes are given time to become the same, and not for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.judging.outcome import BrokenPromise, Unproven
from harness.replicas import collecting
from harness.replicas.collecting import require_equal_metadata_logs
from harness.replicas.replica_log import ReplicaLog, StoredBatch
from harness.targets.target import TargetTrouble


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def batch(offset: int, digest: int = 1) -> StoredBatch:
    return StoredBatch(
        base_offset=offset,
        last_offset=offset,
        leader_epoch=1,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        records=1,
        is_control=False,
        is_transactional=False,
        digest=digest,
        is_sound=True,
        place="here",
    )


def log(node: int, *digests: int) -> ReplicaLog:
    batches = tuple(batch(offset, digest) for offset, digest in enumerate(digests))
    return ReplicaLog(node=node, batches=batches, leader_epochs=((1, 0),), log_start=0, high_watermark=len(digests))


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Compares what two nodes hold, look after look; the last look stays."""

    def comparing(*looks: list[ReplicaLog] | Exception) -> None:
        left = list(looks)

        def replicas_of(*_: Any) -> list[ReplicaLog]:
            found = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setattr(collecting, "replicas_of", replicas_of)
        monkeypatch.setattr(collecting, "time", Clock())
        require_equal_metadata_logs(None, [1, 2])  # type: ignore[arg-type]

    return comparing


def test_a_former_leader_may_still_cut_off_what_only_it_has(compare: Callable[..., None]) -> None:
    compare([log(1, 1, 7), log(2, 1, 2, 3)], [log(1, 1), log(2, 1, 2, 3)], [log(1, 1, 2, 3), log(2, 1, 2, 3)])


def test_a_tail_that_is_cut_off_need_not_be_reached_again(compare: Callable[..., None]) -> None:
    compare([log(1, 1, 7, 8), log(2, 1)], [log(1, 1), log(2, 1)])


def test_a_log_that_is_being_written_is_read_again(compare: Callable[..., None]) -> None:
    compare(TargetTrouble("half a batch"), [log(1, 1), log(2, 1)])


def test_a_log_that_stays_behind_is_told(compare: Callable[..., None]) -> None:
    with pytest.raises(BrokenPromise, match="node 1 holds it up to offset 1 only"):
        compare([log(1, 1), log(2, 1, 2)])


def test_logs_that_stay_different_are_told(compare: Callable[..., None]) -> None:
    with pytest.raises(BrokenPromise, match="metadata logs differ: nodes 1 and 2 hold different batches"):
        compare([log(1, 1, 7), log(2, 1, 2)])


def test_an_empty_log_proves_nothing(compare: Callable[..., None]) -> None:
    with pytest.raises(Unproven):
        compare([log(1, 1), log(2)])


def test_a_log_that_can_never_be_read_is_trouble(compare: Callable[..., None]) -> None:
    with pytest.raises(TargetTrouble):
        compare(TargetTrouble("no such folder"))
