"""Whether enough happened in a run to judge it: records acknowledged and read, and effects of faults.

A fault counts only with a proof that it took effect, and with sends under way while it was there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.judging.checkers.ruling import counted
from harness.judging.evidence.evidence import Evidence
from harness.judging.evidence.sends import ACKNOWLEDGED
from harness.judging.periods import FaultPeriod, fault_periods
from harness.judging.verdicts import Validity, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """The least that must have happened in a run: a handful of records proves nothing of a cluster."""

    acknowledged: int = 100
    """Sends."""
    reads: int = 100
    """Records that polls returned, those of the final read included."""
    sends_under_faults: int = 1
    """Sends that began before the end of each fault that came while producers worked, and ended after its start."""
    retries: int = 0
    """Records that producers sent again."""
    leader_changes: int = 0
    """Partitions that got another leader."""
    seeks: int = 0
    """Times that a consumer sought an offset."""


ANYTHING = Needs(acknowledged=1, reads=1)
"""For histories of which nothing is known."""


def activity(evidence: Evidence, needs: Needs) -> Verdict:
    """Unknown when less happened than a check needs; else valid, and `rests_on` says what happened."""
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
    changed = len({change.where for change in evidence.leader_changes if change.leader != change.new_leader})
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


def _lacking_partitions(evidence: Evidence) -> list[str]:
    """Partitions that were sent to, and acknowledged nothing: of their records nothing is known."""
    sends = evidence.sends
    asked = np.where(sends.column("asked") >= 0, sends.column("asked"), sends.column("where"))
    silent = sorted(set(asked.tolist()) - set(asked[sends.column("outcome") == ACKNOWLEDGED].tolist()))
    if not silent or len(silent) == len(set(asked.tolist())):
        return []
    told = ", ".join(evidence.place(where) for where in silent[:4])
    return [f"none of {counted(int(np.isin(asked, silent).sum()), 'send')} to {told} was acknowledged"]


def _lacking_retries(evidence: Evidence, needs: Needs) -> list[str]:
    if evidence.retries is None and needs.retries:
        return ["the client library does not count its retries; use another --client"]
    if (evidence.retries or 0) < needs.retries:
        return [f"{evidence.retries:,} records were sent again, and {needs.retries:,} are needed"]
    return []


def _sends_under(evidence: Evidence, period: FaultPeriod) -> int:
    """Sends that began before the period's end and did not end before its begin."""
    invoked, completed = evidence.sends.column("invoked"), evidence.sends.column("completed")
    before_end = np.ones(len(invoked), np.bool_) if period.end is None else invoked < period.end
    return int(np.count_nonzero(before_end & ((completed < 0) | (completed > period.begin))))


def _was_producing(evidence: Evidence, period: FaultPeriod) -> bool:
    """Whether a send began after the fault did; faults at the end of a run come when producers have ended."""
    invoked = evidence.sends.invoked
    return bool(len(invoked)) and invoked[-1] > period.begin
