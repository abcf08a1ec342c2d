"""Checks that clients continue after all faults are healed. Records that do not come are late, not lost. O(records)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from harness.history.history import AnyHistory
from harness.history.processes import role_of
from harness.judging.checkers.ruling import anomaly, counted, ruling
from harness.judging.evidence.evidence import Evidence
from harness.judging.evidence.sends import ACKNOWLEDGED
from harness.judging.evidence.witness import end_line, fault_lines, ordered, send_lines
from harness.judging.guarantees import Guarantees
from harness.judging.verdicts import Anomaly, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """A record of the final log that a consumer or group had not received by its last poll."""

    who: str
    where: int
    offset: int
    row: int
    since_ns: int
    until_ns: int


def no_recovery(history: AnyHistory, rules: Guarantees) -> Verdict:
    """Finds consumers and groups that did not receive a record of the log, although they polled for longer than
    `ClientSettings.recovery_s` after the last heal and the record's acknowledgement. Failed polls count, too."""
    evidence = Evidence.of(history)
    healed_ns = max((fault.time_ns for fault in evidence.faults), default=0)
    waiting = list(_waiting(evidence, healed_ns))
    stalled = [each for each in waiting if each.until_ns - each.since_ns > rules.client.recovery_s * 1e9]
    return ruling(
        "no-recovery",
        (partial(_stalled, evidence, each, healed_ns) for each in stalled),
        rules,
        count=len(stalled),
        rests_on=f"{counted(len(evidence.last_polls_ns), 'consumer')}, of whose partitions {len(waiting):,} were not "
        f"read to the end; recovery may take {rules.client.recovery_s:.0f} s to recover",
    )


def stalled_producers(history: AnyHistory) -> list[str]:
    """Producers that sent records after the last heal, none of which was acknowledged, even by a new client of the
    producer.

    All these sends have ended, because every run waits for the delivery timeout.
    """
    evidence = Evidence.of(history)
    sends = evidence.sends
    healed = max((fault.index for fault in evidence.faults if fault.f == "heal"), default=-1)
    is_later = sends.column("invoked") > healed
    process = sends.column("process")

    def roles(which: NDArray[np.bool_]) -> dict[str, None]:
        return dict.fromkeys(role_of(evidence.processes[number]) for number in sorted(set(process[which].tolist())))

    went_on = roles(is_later & (sends.column("outcome") == ACKNOWLEDGED))
    return [role for role in roles(is_later) if role not in went_on]


def _waiting(evidence: Evidence, healed_ns: int) -> Iterator[_Waiting]:
    for process, until_ns in evidence.last_polls_ns.items():
        if not evidence.consumers.group_of(process):
            for where, next_offset in evidence.consumers.standing(process):
                cells = evidence.cells(where)
                missing = np.flatnonzero(cells.is_final & (cells.offsets >= next_offset))
                yield from _first(evidence, process, where, missing.tolist(), healed_ns, until_ns)
    for group, members in evidence.consumers.groups.items():
        until_ns = max((evidence.last_polls_ns.get(member, 0) for member in members), default=0)
        for where in range(len(evidence.partitions)):
            cells = evidence.cells(where)
            is_given = cells.by_group.get(group, np.zeros(len(cells.offsets), np.bool_))
            missing = np.flatnonzero(cells.is_final & ~is_given)
            yield from _first(evidence, group, where, missing.tolist(), healed_ns, until_ns)


def _first(
    evidence: Evidence, who: str, where: int, missing: list[int], healed_ns: int, until_ns: int
) -> Iterator[_Waiting]:
    """The first of the missing records, if there is one and the time of its acknowledgement is known."""
    for place in missing[:1]:
        offset = int(evidence.cells(where).offsets[place])
        acknowledged_ns = evidence.freshness.waiting_since(where, offset)
        if acknowledged_ns is not None:
            yield _Waiting(
                who=who,
                where=where,
                offset=offset,
                row=int(evidence.cells(where).rows[place]),
                since_ns=max(acknowledged_ns, healed_ns),
                until_ns=until_ns,
            )


def _stalled(evidence: Evidence, waiting: _Waiting, healed_ns: int) -> Anomaly:
    waited_s = (waiting.until_ns - waiting.since_ns) / 1e9
    place = f"{evidence.place(waiting.where)} offset {waiting.offset}"
    lines = send_lines(evidence, waiting.row) if waiting.row >= 0 else []
    lines += fault_lines(evidence, 0, healed_ns)
    lines.append(end_line(evidence, waiting.where, f"{waiting.who} polled for {waited_s:.1f} s without it"))
    sentence = (
        f"{waiting.who} was not given {place} though it polled for {waited_s:.1f} s after the record was acknowledged "
        f"and all faults were healed; the record is in the log"
    )
    index = evidence.sends.invoked[waiting.row] if waiting.row >= 0 else -1
    return anomaly("no-recovery", sentence, ordered(lines), index)
