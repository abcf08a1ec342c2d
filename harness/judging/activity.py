"""Decides whether enough happened in a run for a verdict: records acknowledged and read, and faults that took effect.

A fault counts only with a proof that it took effect, and if sends were in flight during it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.judging.checkers.ruling import counted
from harness.judging.evidence.evidence import Evidence, LeaderChange
from harness.judging.evidence.sends import ACKNOWLEDGED
from harness.judging.periods import FaultPeriod, fault_periods
from harness.judging.verdicts import Validity, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """The minimum activity of a run; a run of a few records proves nothing."""

    acknowledged: int = 100
    """Acknowledged sends."""
    reads: int = 100
    """Records returned by polls, including those of the final read."""
    sends_under_faults: int = 1
    """Sends in flight during each fault that began while producers were sending."""
    retries: int = 0
    """Records resent by producers."""
    leader_changes: int = 0
    """Partitions that changed their leader."""
    seeks: int = 0
    """Seeks by consumers."""


ANYTHING = Needs(acknowledged=1, reads=1)
"""For histories without requirements: one acknowledged record and one read."""


def activity(evidence: Evidence, needs: Needs) -> Verdict:
    """The verdict on the activity: unknown if less happened than required, else valid. `rests_on` has the counts."""
    sends = evidence.sends
    acknowledged = int(np.count_nonzero(sends.column("outcome") == ACKNOWLEDGED))
    told = [f"{counted(acknowledged, 'acknowledged record')} of {len(sends):,}"]
    told.append(f"{counted(evidence.records_read(), 'record')} read")
    lacking = []
    if acknowledged < needs.acknowledged:
        lacking.append(
            f"{acknowledged:,} of {counted(len(sends), 'send')} acknowledged, and {needs.acknowledged:,} are needed; "
            f"was the cluster up, and is the topic writable?"
        )
    if evidence.records_read() < needs.reads:
        lacking.append(f"{counted(evidence.records_read(), 'record')} read, and {needs.reads:,} are needed")
    lacking += _lacking_partitions(evidence)
    if evidence.second_ends:
        lacking.append(f"{evidence.second_ends:,} ends were told of sends that had ended before, or never began")
    for period in fault_periods(evidence.faults):
        during = _sends_under(evidence, period)
        told.append(f"{period.act.sentence}: {period.act.proof or 'no proof of an effect'}, {during:,} sends meanwhile")
        if not period.act.proof:
            lacking.append(f"{period.act.sentence} has no proof that it took effect")
        elif during < needs.sends_under_faults and _was_producing(evidence, period):
            lacking.append(f"{during:,} sends were under way during {period.act.sentence}; run for longer")
    for change in evidence.leader_changes:
        told.append(
            f"{evidence.place(change.where)} was led by {change.leader}, and then by {change.new_leader} "
            f"(epoch {change.leader_epoch} → {change.new_epoch})"
        )
    changed = len({change.where for change in evidence.leader_changes if _has_moved(evidence, change)})
    if changed < needs.leader_changes:
        lacking.append(f"{counted(changed, 'partition')} got another leader, and {needs.leader_changes:,} are needed")
    lacking += _lacking_retries(evidence, needs)
    seeks = evidence.consumers.seeks
    if seeks < needs.seeks:
        lacking.append(f"{counted(seeks, 'seek')}, and {needs.seeks:,} are needed; run for longer")
    if seeks:
        told.append(counted(seeks, "seek"))
    if evidence.retries is not None:
        told.append(counted(evidence.retries, "retried record"))
    return Verdict(
        checker="activity",
        validity=Validity.UNKNOWN if lacking else Validity.VALID,
        reason="; ".join(lacking),
        rests_on="; ".join(told),
    )


def _has_moved(evidence: Evidence, change: LeaderChange) -> bool:
    """Whether another replica led: at the later description, or before the first one led again, if records are of the
    one epoch in between."""
    if change.leader != change.new_leader:
        return True
    cells = evidence.logs[change.where].cells
    between = change.leader_epoch + 1
    return change.new_epoch == between + 1 and cells is not None and bool((cells.epochs == between).any())


def _lacking_partitions(evidence: Evidence) -> list[str]:
    """A complaint about partitions that did not acknowledge any send, while others did: nothing is known about them."""
    sends = evidence.sends
    asked = np.where(sends.column("asked") >= 0, sends.column("asked"), sends.column("where"))
    silent = np.setdiff1d(asked, asked[sends.column("outcome") == ACKNOWLEDGED])
    if not silent.size or silent.size == np.unique(asked).size:
        return []
    told = ", ".join(evidence.place(where) for where in silent[:4].tolist())
    return [f"none of {counted(int(np.isin(asked, silent).sum()), 'send')} to {told} was acknowledged"]


def _lacking_retries(evidence: Evidence, needs: Needs) -> list[str]:
    if evidence.retries is None and needs.retries:
        return ["the client library does not count its retries; use another --client"]
    if (evidence.retries or 0) < needs.retries:
        return [f"{evidence.retries:,} records were sent again, and {needs.retries:,} are needed"]
    return []


def _sends_under(evidence: Evidence, period: FaultPeriod) -> int:
    """The number of sends that were in flight at some time during the period."""
    invoked, completed = evidence.sends.column("invoked"), evidence.sends.column("completed")
    before_end = np.ones(len(invoked), np.bool_) if period.end is None else invoked < period.end
    return int(np.count_nonzero(before_end & ((completed < 0) | (completed > period.begin))))


def _was_producing(evidence: Evidence, period: FaultPeriod) -> bool:
    """Whether a send began after the fault did. Faults at the end of a run may begin after producers have ended."""
    invoked = evidence.sends.invoked
    return bool(len(invoked)) and invoked[-1] > period.begin
