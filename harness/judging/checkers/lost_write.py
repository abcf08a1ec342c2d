"""Acknowledged records that are not in the log: in its middle (lost-write) or at its end (unseen). O(records)."""

from __future__ import annotations

from functools import partial

from harness.history.operations import History
from harness.judging.checkers.evidence import (
    Attempt,
    Evidence,
    PartitionEvidence,
    fault_lines,
    line,
    ordered,
    send_lines,
)
from harness.judging.checkers.ruling import anomaly, ruling, unread
from harness.judging.guarantees import Guarantees
from harness.judging.verdicts import Anomaly, Verdict


def lost_write(history: History, rules: Guarantees) -> Verdict:
    """Acknowledged values that the final read passed over: it read a later offset, or the log ended behind them."""
    evidence = Evidence.of(history)
    found = [
        partial(_missing, "lost-write", evidence, attempt)
        for attempt in _unread(evidence)
        if attempt.offset < _limit(evidence.partitions.get(attempt.where))
    ]
    return ruling("lost-write", found, rules, unknown=unread(history, _unfinished(evidence)))


def unseen(history: History, rules: Guarantees) -> Verdict:
    """Acknowledged values beyond the end of the log, although it was read to its end: a lost tail."""
    evidence = Evidence.of(history)
    found = []
    for attempt in _unread(evidence):
        partition = evidence.partitions.get(attempt.where)
        if partition is None or partition.end is None or not partition.end.is_whole:
            continue
        if attempt.offset >= _limit(partition):
            found.append(partial(_missing, "unseen", evidence, attempt))
    return ruling("unseen", found, rules, unknown=unread(history, _unfinished(evidence)))


def _unread(evidence: Evidence) -> list[Attempt]:
    """Acknowledged sends whose value the final read did not return, first offset first; not those deleted before it."""
    missing = []
    for attempt in evidence.acknowledged():
        partition = evidence.partitions.get(attempt.where)
        if partition is not None and attempt.send.value in partition.final_values:
            continue
        if partition is not None and partition.end is not None and 0 <= attempt.offset < partition.end.start:
            continue
        missing.append(attempt)
    return sorted(missing, key=lambda attempt: (attempt.where, attempt.offset))


def _limit(partition: PartitionEvidence | None) -> int:
    """The offset up to which the final read tells what the log holds."""
    if partition is None or partition.end is None:
        return -1
    return partition.end.reached if not partition.end.is_whole else partition.end.end


def _unfinished(evidence: Evidence) -> list[str]:
    """Partitions with acknowledged records whose final read is missing or did not come to the end."""
    names = dict.fromkeys(attempt.where for attempt in evidence.acknowledged())
    unfinished = []
    for topic, number in names:
        partition = evidence.partitions.get((topic, number))
        if partition is None or partition.end is None or not partition.end.is_whole:
            unfinished.append(f"{topic}-{number}")
    return sorted(unfinished)


def _missing(name: str, evidence: Evidence, attempt: Attempt) -> Anomaly:
    topic, number = attempt.where
    partition = evidence.partition(attempt.where)
    value = attempt.send.value
    lines = send_lines(attempt)
    start_ns = attempt.invoked.time_ns
    lines += fault_lines(evidence.faults_between(start_ns - 1_000_000_000, start_ns + 30_000_000_000))
    seen = partition.first_reads.get(value)
    if seen is not None:
        lines.append((seen.time_ns, line(seen, f"{topic}-{number}  had read value {value}")))
    if partition.end is not None:
        end = partition.end
        span = f"offsets {end.start} to {end.reached - 1} of {end.end}"
        lines.append((1 << 62, f"end          final read   {span}; {_at(partition, attempt)}"))
    acknowledged = len(evidence.acknowledged())
    sentence = (
        f"value {value}, acknowledged at {topic}-{number} offset {attempt.offset}, is not in the final log "
        f"(one of {acknowledged:,} acknowledged records)"
    )
    return anomaly(name, sentence, ordered(lines), attempt.invoked.index)


def _at(partition: PartitionEvidence, attempt: Attempt) -> str:
    for value, offset in partition.final_values.items():
        if offset == attempt.offset:
            return f"offset {offset} holds {value}; {attempt.send.value} is nowhere"
    return f"{attempt.send.value} is nowhere"
