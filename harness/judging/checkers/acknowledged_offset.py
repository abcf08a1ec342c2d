"""Acknowledgements that name another offset than the record's. O(sends)."""

from __future__ import annotations

from functools import partial

from harness.history.operations import History
from harness.judging.checkers.evidence import Attempt, Evidence, line, send_lines
from harness.judging.checkers.ruling import anomaly, ruling
from harness.judging.guarantees import Guarantees
from harness.judging.verdicts import Anomaly, Verdict


def acknowledged_offset(history: History, rules: Guarantees) -> Verdict:
    """Acknowledged values that were read, but never at the offset that the acknowledgement named."""
    evidence = Evidence.of(history)
    doubtful = []
    for attempt in evidence.acknowledged():
        partition = evidence.partitions.get(attempt.where)
        at = partition.holders.get(attempt.send.value) if partition else None
        if at is not None and attempt.offset >= 0 and at != attempt.offset:
            doubtful.append(attempt)
    # A duplicate may have been acknowledged at its second offset: then the offset is right, and O5 is broken.
    found = [partial(_wrong, evidence, attempt) for attempt in doubtful if not _is_also_there(evidence, attempt)]
    return ruling("wrong-acknowledged-offset", found, rules)


def _is_also_there(evidence: Evidence, attempt: Attempt) -> bool:
    places = evidence.places()
    return (attempt.where, attempt.offset, attempt.send.value) in places


def _wrong(evidence: Evidence, attempt: Attempt) -> Anomaly:
    topic, number = attempt.where
    partition = evidence.partitions[attempt.where]
    value = attempt.send.value
    at, seen = partition.holders[value], partition.first_reads[value]
    lines = [text for _, text in send_lines(attempt)]
    lines.append(line(seen, f"{topic}-{number}  offset {at} → {value}"))
    sentence = f"value {value} was acknowledged at {topic}-{number} offset {attempt.offset}, and stands at offset {at}"
    return anomaly("wrong-acknowledged-offset", sentence, lines, attempt.invoked.index)
