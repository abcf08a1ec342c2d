"""The whole judgement of a history of a log's ends."""

from __future__ import annotations

from harness.judging.judgements import note_judgement
from harness.judging.outcome import BrokenPromise, Unproven
from harness.judging.retention.ends import wrong_ends
from harness.judging.retention.limits import wrong_deletions
from harness.judging.retention.log_history import LogHistory
from harness.judging.retention.wrong import Wrong

LEAST_LOOKS = 10


def wrongs(history: LogHistory) -> list[Wrong]:
    """Everything wrong with a history; O(n log n)."""
    return [*wrong_deletions(history), *wrong_ends(history)]


def require_legal(history: LogHistory, partition: str = "", *, least_looks: int = LEAST_LOOKS) -> None:
    """BrokenPromise with the first wrong of a history; Unproven where too little was seen of it. `partition` is its
    name, for the witness."""
    found = wrongs(history)
    if found:
        first = found[0]
        happened = f"{first.sentence[:1].upper()}{first.sentence[1:]}."
        raise BrokenPromise(happened, witness=(*([partition] if partition else []), *first.lines), claim=first.claim)
    if len(history.looks) < least_looks:
        raise Unproven(f"the ends of the log were told {len(history.looks)} times only, fewer than {least_looks}")
    note_judgement()
