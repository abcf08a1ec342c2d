"""Checks that leader epochs never decrease with the offset, and do not change between reads of a record. O(records)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain

import numpy as np

from harness.history.history import AnyHistory
from harness.judging.checkers.ruling import anomaly, counted, ruling
from harness.judging.evidence.evidence import Conflict, Evidence
from harness.judging.evidence.witness import line, ordered, record_at
from harness.judging.guarantees import Guarantees
from harness.judging.verdicts import Anomaly, Verdict

_Maker = Callable[[], Anomaly]


def leader_epoch_order(history: AnyHistory, rules: Guarantees) -> Verdict:
    """Finds records with a lower leader epoch than an earlier record, and records read with two leader epochs.

    Nothing can be judged if the client library does not expose leader epochs.
    """
    evidence = Evidence.of(history)
    falls: list[tuple[int, int, int]] = []
    told = 0
    for where in range(len(evidence.partitions)):
        cells = evidence.cells(where)
        places = np.flatnonzero(cells.epochs >= 0)
        told += len(places)
        epochs = cells.epochs[places]
        falls += [(where, int(places[at]), int(places[at + 1])) for at in np.flatnonzero(epochs[1:] < epochs[:-1])]
    changed = [conflict for conflict in evidence.epochs_changed if -1 not in _epochs(evidence, conflict)]
    found: Iterator[_Maker] = chain(
        (partial(_fall, evidence, *fall) for fall in falls), (partial(_changed, evidence, each) for each in changed)
    )
    return ruling(
        "leader-epoch-order",
        found,
        rules,
        count=len(falls) + len(changed),
        rests_on=f"{counted(told, 'record')} whose leader epoch the client told",
    )


def _epochs(evidence: Evidence, conflict: Conflict) -> tuple[int, ...]:
    """The two leader epochs with which a record was read; -1 for one that is not known."""
    epochs = []
    for poll in (conflict.first_poll, conflict.second_poll):
        found = record_at(
            evidence.history.operation(poll), *evidence.partitions[conflict.where], offset=conflict.offset
        )
        epochs.append(found.leader_epoch if found else -1)
    return tuple(epochs)


def _fall(evidence: Evidence, where: int, first: int, second: int) -> Anomaly:
    cells = evidence.cells(where)
    lines, told = [], []
    for place in (first, second):
        poll = evidence.history.operation(int(cells.first_polls[place]))
        told.append(f"offset {int(cells.offsets[place])} of leader epoch {int(cells.epochs[place])}")
        lines.append((poll.time_ns, line(poll, f"{evidence.place(where)}  {told[-1]}")))
    sentence = f"{evidence.place(where)} has {told[1]} behind {told[0]}"
    return anomaly("leader-epoch-order", sentence, ordered(lines), int(cells.first_polls[second]))


def _changed(evidence: Evidence, conflict: Conflict) -> Anomaly:
    first, second = _epochs(evidence, conflict)
    place = f"{evidence.place(conflict.where)} offset {conflict.offset}"
    lines = []
    for poll, epoch in ((conflict.first_poll, first), (conflict.second_poll, second)):
        operation = evidence.history.operation(poll)
        lines.append((operation.time_ns, line(operation, f"{place} of leader epoch {epoch}")))
    sentence = f"{place} was read with leader epoch {first}, and later with {second}"
    return anomaly("leader-epoch-order", sentence, ordered(lines), conflict.second_poll)
