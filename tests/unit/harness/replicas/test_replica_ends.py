"""The ends of a replica's log: what may go back between two epochs, and what may not."""

from __future__ import annotations

import pytest

from harness.judging.outcome import BrokenPromise
from harness.replicas.ends import ReplicaEnds, Telling


def telling(
    log_end: int,
    *,
    high_watermark: int | None = None,
    epoch: int = 0,
    life: int = 0,
    committed: int = 0,
    start: int = 0,
) -> Telling:
    """What node 1 tells; its high watermark is its log end unless said otherwise."""
    mark = log_end if high_watermark is None else high_watermark
    ends = {"log start": start, "last stable offset": mark, "high watermark": mark, "log end": log_end}
    return Telling(1, life, epoch, committed, ends)


def saw(*told: Telling) -> ReplicaEnds:
    ends = ReplicaEnds()
    for each in told:
        ends.saw(each)
    return ends


GROWS = (telling(1), telling(4), telling(6, committed=6), telling(9, committed=6))
"""Its log is known to be a prefix of the leader's, and to hold 6 committed records."""


def test_a_log_that_grows_is_compared_once_it_has_appended() -> None:
    assert saw(*GROWS).looks[1] == 1


def test_a_tail_that_was_not_committed_may_be_cut_off_in_a_new_epoch() -> None:
    saw(*GROWS, telling(9, epoch=1), telling(6, epoch=1), telling(8, epoch=1))


def test_a_committed_record_may_not_be_cut_off_in_a_new_epoch() -> None:
    with pytest.raises(BrokenPromise, match=r"from 9 to 5 .* held all that was committed below 6"):
        saw(*GROWS, telling(5, epoch=1))


def test_a_committed_record_may_not_be_gone_when_the_node_starts_again() -> None:
    with pytest.raises(BrokenPromise, match="held all that was committed below 6"):
        saw(*GROWS, telling(0, epoch=1, life=1))


def test_what_others_committed_meanwhile_says_nothing_of_a_tail_of_its_own() -> None:
    saw(*GROWS, telling(9, epoch=1, life=1, committed=20), telling(6, epoch=1, life=1, committed=20))


@pytest.mark.parametrize(
    ("last", "says"),
    [
        (telling(8), "The log end goes back from 9 to 8"),
        (telling(9, high_watermark=8), "The last stable offset goes back from 9 to 8"),
        (telling(9, high_watermark=10), "The ends are out of order"),
        (telling(9, start=-1), "The log start goes back from 0 to -1"),
    ],
)
def test_nothing_goes_back_in_an_epoch_in_which_it_has_appended(last: Telling, says: str) -> None:
    with pytest.raises(BrokenPromise, match=says):
        saw(*GROWS, last)


def test_a_high_watermark_may_be_lower_when_a_new_leader_tells_it_first() -> None:
    saw(*GROWS, telling(9, epoch=1), telling(10, high_watermark=7, epoch=1), telling(11, high_watermark=8, epoch=1))


def test_a_log_start_may_go_back_when_the_node_starts_again_and_not_while_it_runs() -> None:
    kept = (telling(9, start=3), telling(10, start=3))

    saw(*kept, telling(10, start=0, life=1))
    with pytest.raises(BrokenPromise, match="The log start goes back from 3 to 0"):
        saw(*kept, telling(10, start=0, epoch=1))
