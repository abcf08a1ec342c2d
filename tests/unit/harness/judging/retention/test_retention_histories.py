"""The checker of retention holds legal histories, and rejects each single edit that makes one illegal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judging.outcome import BrokenPromise, Unproven
from harness.judging.retention.judge import require_legal, wrongs
from harness.judging.retention.log_history import Append, Break, Change, Cut, Doubt, Limits, LogHistory, Look, Rules
from tests.unit.harness.judging.retention.legal_logs import legal_history

RULES = Rules(check_interval_ms=1_000, initial_delay_ms=500, slack_ms=100, segment_bytes=1_000, segment_ms=10_000)
T = 50_000


@given(st.integers(0, 2**32))
def test_a_legal_history_holds(seed: int) -> None:
    assert wrongs(legal_history(seed)) == []


def append(at_ms: int, base: int, *, size: int = 600, timestamp: int = T, records: int = 1) -> Append:
    return Append(
        began_ms=at_ms,
        ended_ms=at_ms + 1,
        base_offset=base,
        last_offset=base + records - 1,
        size=size,
        max_timestamp=timestamp,
    )


def told(at_ms: int, start: int, end: int = 3) -> Look:
    return Look(began_ms=at_ms, ended_ms=at_ms + 2, asked="ListOffsets", start=start, end=end)


def fetch(at_ms: int, offset: int, *, is_refused: bool) -> Look:
    span = {"began_ms": at_ms, "ended_ms": at_ms + 2}
    if is_refused:
        return Look(**span, asked="Fetch", refused_at=offset)
    return Look(**span, asked="Fetch", answered_at=offset)


def three_segments(limits: Limits, *looks: Look) -> LogHistory:
    """Three batches of 600 bytes, each a segment, with timestamps T, T + 10 and T + 20."""
    appends = [append(T + 30 + 10 * index, index, timestamp=T + 10 * index) for index in range(3)]
    return LogHistory(rules=RULES, limits=limits, appends=appends, looks=list(looks))


def said(history: LogHistory) -> list[str]:
    return [f"{one.claim} {one.sentence}" for one in wrongs(history)]


# -- by time ------------------------------------------------------------------------------------------------------


def test_a_segment_may_go_one_millisecond_after_its_limit() -> None:
    assert not said(three_segments(Limits(1_000), told(T + 999, 1)))  # completed at T + 1001


def test_a_segment_may_not_go_at_its_limit() -> None:
    (wrong,) = said(three_segments(Limits(1_000), told(T + 998, 1)))

    assert wrong == "R2 offsets 0 to 0 are deleted before their limit"


def test_a_segment_that_stays_until_the_next_turn_is_not_late() -> None:
    assert not said(three_segments(Limits(1_000), told(T + 2_100, 0)))


def test_a_segment_that_stays_longer_is_late() -> None:
    (wrong,) = said(three_segments(Limits(1_000), told(T + 2_101, 0)))

    assert wrong == "R3 the segment from 0 to 0 is still there 1100 ms after its limit"


def test_the_largest_timestamp_of_a_segment_counts() -> None:
    history = three_segments(Limits(1_000), told(T + 1_500, 1))
    history.appends[0] = replace(history.appends[0], max_timestamp=T + 700)

    assert said(history)[0].startswith("R2 offsets 0 to 0")


def test_without_a_timestamp_the_time_of_the_append_counts() -> None:
    history = three_segments(Limits(1_000), told(T + 1_018, 1))
    history.appends[0] = replace(history.appends[0], max_timestamp=-1)
    assert said(history)[0].startswith("R2 offsets 0 to 0")  # appended at T + 30; a file's clock is exact to 10 ms

    history.looks = [told(T + 1_019, 1)]
    assert not said(history)


def test_a_timestamp_of_the_future_keeps_its_segment_and_all_after_it() -> None:
    history = three_segments(Limits(1_000), told(T + 9_000, 0))
    history.appends[0] = replace(history.appends[0], max_timestamp=T + 60_000)
    assert not said(history)

    history.looks = [told(T + 9_000, 1)]
    assert said(history)[0].startswith("R2 offsets 0 to 0")


def test_without_a_limit_all_stays() -> None:
    assert not said(three_segments(Limits(), told(T + 10_000_000, 0)))
    assert said(three_segments(Limits(), told(T + 10_000_000, 1)))[0].startswith("R2")


def test_a_new_limit_counts_when_it_is_in_force() -> None:
    history = three_segments(Limits(), told(T + 9_998, 1))
    history.changes = [Change(began_ms=T + 10_001, ended_ms=T + 10_050, value=Limits(1_000))]
    assert said(history)[0].startswith("R2")

    history.looks = [told(T + 10_000, 1)]
    assert not said(history)
    history.looks = [told(T + 11_151, 0)]
    assert said(history)[0].startswith("R3")


def test_a_clock_that_was_set_forward_makes_records_old() -> None:
    history = three_segments(Limits(60_000), told(T + 5_000, 1))
    assert said(history)[0].startswith("R2")

    history.clock = [Change(began_ms=T + 4_000, ended_ms=T + 4_100, value=3_600_000)]
    assert not said(history)
    history.looks = [told(T + 5_202, 0)]
    assert said(history)[0].startswith("R3")


# -- by size ------------------------------------------------------------------------------------------------------


def test_a_segment_may_go_where_the_others_have_the_bytes_to_keep() -> None:
    assert not said(three_segments(Limits(None, 1_200), told(T + 100, 1)))


def test_a_segment_may_not_go_where_the_others_have_a_byte_less() -> None:
    assert said(three_segments(Limits(None, 1_201), told(T + 100, 1)))[0].startswith("R2 offsets 0 to 0")


def test_what_is_larger_than_its_limit_for_long_is_late() -> None:
    assert said(three_segments(Limits(None, 1_200), told(T + 1_200, 0)))[0].startswith("R3 the segment from 0 to 0")


def test_bytes_that_came_later_do_not_count() -> None:
    history = three_segments(Limits(None, 1_200), told(T + 45, 1, end=2))  # the third is appended at T + 50
    assert said(history)[0].startswith("R2 offsets 0 to 0")


# -- the two ends ---------------------------------------------------------------------------------------------------


def test_a_start_that_goes_back_is_rejected() -> None:
    assert "R4 the log start offset goes back: it is told as 0, after 1" in said(
        three_segments(Limits(1_000), told(T + 1_500, 1), told(T + 1_600, 0))
    )


def test_a_start_may_go_back_where_another_leads() -> None:
    history = three_segments(Limits(1_000), told(T + 1_500, 1), told(T + 1_600, 0))
    history.breaks = [Break(began_ms=T + 1_510, ended_ms=T + 1_590, words="kill leader", forgets=True)]
    assert not said(history)

    history.cuts = [Cut(began_ms=T + 60, ended_ms=T + 70, offset=1, low_watermark=1)]
    assert "R4 the log start offset goes back: it is told as 0, after 1" in said(history)


def test_a_kill_may_forget_a_deletion() -> None:
    history = three_segments(Limits(), told(T + 100, 1), told(T + 300, 0))
    history.cuts = [Cut(began_ms=T + 60, ended_ms=T + 70, offset=1, low_watermark=1)]
    assert said(history)

    history.breaks = [Break(began_ms=T + 150, ended_ms=T + 200, words="kill", forgets=True, forgets_cuts=True)]
    assert not said(history)


def test_a_start_between_segments_is_rejected() -> None:
    history = three_segments(Limits(1_000), told(T + 1_500, 1))
    history.appends = [
        append(T + 30, 0, size=100),
        append(T + 40, 1, size=100),
        append(T + 50, 2, size=100, timestamp=T + 1_000),
    ]
    assert said(history)[0].startswith("R2 offsets 0 to 0")  # its segment has T + 1000

    history.appends[2] = append(T + 50, 2, size=100)
    assert said(history)[0] == "R2 the log starts at 1, where no segment begins and no deletion was asked for"


def test_a_start_where_the_active_segment_was_taken_is_not_rejected() -> None:
    history = three_segments(Limits(1_000), told(T + 3_000, 2, end=2), told(T + 3_100, 2))
    history.appends = [append(T + 30, 0, size=100), append(T + 40, 1, size=100), append(T + 3_050, 2, size=100)]
    history.appends[2] = replace(history.appends[2], max_timestamp=T + 3_050)
    assert not said(history)


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (fetch(T + 1_600, 0, is_refused=False), "a Fetch from 0 is answered, outside of the log from 1 to 3"),
        (fetch(T + 1_600, 4, is_refused=False), "a Fetch from 4 is answered, outside of the log from 1 to 3"),
        (fetch(T + 1_600, 1, is_refused=True), "a Fetch from 1 is refused, within the log from 1 to 3"),
        (fetch(T + 1_600, 3, is_refused=True), "a Fetch from 3 is refused, within the log from 1 to 3"),
        (told(T + 1_600, 1, end=2), "the end of the log is told as 2, after 3"),
        (told(T + 1_600, 1, end=4), "the end of the log is told as 4, and no more than 3 was sent"),
    ],
)
def test_what_lies_outside_is_refused_and_what_lies_inside_is_not(look: Look, words: str) -> None:
    wrong = said(three_segments(Limits(1_000), told(T + 1_500, 1), look, told(T + 1_700, 1)))

    assert f"R4 {words}" in wrong


@pytest.mark.parametrize("offset", [0, 4])
def test_a_refusal_outside_of_the_log_is_right(offset: int) -> None:
    looks = (told(T + 1_500, 1), fetch(T + 1_600, offset, is_refused=True), told(T + 1_700, 1))
    assert not said(three_segments(Limits(1_000), *looks))


def test_a_batch_that_a_resigning_leader_refused_may_be_there() -> None:
    history = three_segments(Limits(), told(T + 100, 0, end=4), fetch(T + 110, 4, is_refused=False))
    assert len(said(history)) == 2

    history.doubts = [Doubt(began_ms=T + 90, ended_ms=T + 95, records=1)]
    assert not said(history)


def test_a_deletion_that_was_acknowledged_binds() -> None:
    history = three_segments(Limits(), told(T + 100, 0))
    history.cuts = [Cut(began_ms=T + 60, ended_ms=T + 70, offset=2, low_watermark=2)]

    assert said(history) == ["R4 the log start offset goes back: it is told as 0, after 2"]


def test_after_a_start_the_bound_begins_anew() -> None:
    history = three_segments(Limits(1_000), told(T + 3_000, 0))
    history.breaks = [Break(began_ms=T + 900, ended_ms=T + 2_000, words="restart")]
    assert not said(history)

    history.looks = [told(T + 3_700, 0)]
    assert said(history)[0].startswith("R3")


def test_where_segments_are_not_known_only_batches_are_judged() -> None:
    history = three_segments(Limits(1_000), told(T + 1_500, 1))
    history.rules = replace(RULES, has_exact_segments=False)
    history.appends = [append(T + 30, 0, size=100), append(T + 40, 1, size=100), append(T + 50, 2, size=100)]
    assert not said(history)

    history.appends[0] = append(T + 30, 0, size=100, timestamp=T + 900)
    assert said(history)[0].startswith("R2")


# -- edits of legal histories ------------------------------------------------------------------------------------------


def one_more_than_may_go(history: LogHistory) -> LogHistory | None:
    """A look sees that a record of this very moment was deleted."""
    if not history.looks:
        return None
    last = max(look.ended_ms for look in history.looks)
    base = history.appends[-1].last_offset + 1 if history.appends else 0
    new = append(last + 5, base, timestamp=last + 5)
    look = Look(began_ms=last + 10, ended_ms=last + 11, asked="edited", start=base + 1)
    return replace(history, appends=[*history.appends, new], looks=[*history.looks, look])


def back_to_nothing(history: LogHistory) -> LogHistory | None:
    """The last look sees a start that was there before."""
    if not any(look.start for look in history.looks):
        return None
    last = max(look.ended_ms for look in history.looks)
    look = Look(began_ms=last + 10, ended_ms=last + 11, asked="edited", start=0)
    return replace(history, looks=[*history.looks, look])


def an_answer_from_below(history: LogHistory) -> LogHistory | None:
    """The last Fetch from below the start is answered."""
    ends = {look.end for look in history.looks}
    for index in reversed(range(len(history.looks))):
        look = history.looks[index]
        if look.refused_at is not None and look.refused_at - 1 not in ends:
            looks = list(history.looks)
            looks[index] = replace(look, refused_at=None, answered_at=0)
            earlier = [one for one in history.looks if one.ended_ms < look.began_ms and one.start]
            return replace(history, looks=looks) if earlier else None
    return None


def a_refusal_within(history: LogHistory) -> LogHistory | None:
    """A Fetch from where the log begins is refused, although it begins there before and after."""
    starts = [look for look in history.looks if look.start is not None]
    for index, look in enumerate(history.looks):
        later = [one for one in starts if one.began_ms > look.ended_ms]
        earlier = [one for one in starts if one.ended_ms < look.began_ms]
        if look.answered_at is not None and earlier and later and earlier[-1].start == later[0].start:
            looks = list(history.looks)
            looks[index] = replace(look, answered_at=None, refused_at=look.answered_at)
            return replace(history, looks=looks)
    return None


def nothing_goes_any_more(history: LogHistory) -> LogHistory | None:
    """From the last look on nothing is deleted, for long."""
    ended = {limits.retention_ms for limits in (history.limits, *(change.value for change in history.changes))}
    starts = [look for look in history.looks if look.start is not None]
    newest = max((batch.max_timestamp for batch in history.appends), default=0)
    if None in ended or not starts or starts[-1].start == history.appends[-1].last_offset + 1:
        return None
    looks = [replace(starts[-1], began_ms=newest + at, ended_ms=newest + at) for at in range(5_000, 6_000, 100)]
    return replace(history, looks=[*history.looks, *looks])


EDITS = (one_more_than_may_go, back_to_nothing, an_answer_from_below, a_refusal_within, nothing_goes_any_more)


@pytest.mark.parametrize("edit", EDITS, ids=lambda one: one.__name__)
def test_an_edit_of_a_legal_history_is_rejected(edit: Callable[[LogHistory], LogHistory | None]) -> None:
    edited = {seed: one for seed in range(60) if (one := edit(legal_history(seed))) is not None}

    assert len(edited) >= 5
    assert [seed for seed, one in edited.items() if not wrongs(one)] == []


# -- judging --------------------------------------------------------------------------------------------------------


def test_a_wrong_history_breaks_the_promise_with_a_witness() -> None:
    with pytest.raises(BrokenPromise, match="Offsets 0 to 0 are deleted before their limit") as broken:
        require_legal(three_segments(Limits(1_000), told(T + 500, 1)))

    assert broken.value.claim == "R2"
    assert any("append  offsets 0..0, 600 bytes, of 50000" in line for line in broken.value.witness)


def test_a_log_that_was_not_looked_at_proves_nothing() -> None:
    with pytest.raises(Unproven, match="told 1 times only"):
        require_legal(three_segments(Limits(), told(T + 500, 0)))
