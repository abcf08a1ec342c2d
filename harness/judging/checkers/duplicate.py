"""One record that stands in the log more than once. O(records)."""

from __future__ import annotations

from functools import partial

from harness.history.operations import History, Operation
from harness.judging.checkers.evidence import (
    Evidence,
    TopicPartition,
    fault_lines,
    line,
    ordered,
    send_lines,
)
from harness.judging.checkers.ruling import anomaly, ruling
from harness.judging.guarantees import Guarantees
from harness.judging.verdicts import Anomaly, Verdict


def duplicate(history: History, rules: Guarantees) -> Verdict:
    """Values (each is sent once) that were read at more than one offset or in more than one partition."""
    evidence = Evidence.of(history)
    found = []
    homes: dict[str, tuple[TopicPartition, int]] = {}
    reported: dict[str, bool] = {}
    for where, partition in evidence.partitions.items():
        for value, offset in partition.holders.items():
            elsewhere = homes.setdefault(value, (where, offset))
            if elsewhere[0] != where and value not in reported:
                reported[value] = True
                operation = partition.first_reads[value]
                found.append(partial(_twice, evidence, value, elsewhere, (where, offset), operation))
        first_at = partition.holders
        for read in partition.reads:
            for record in read.records:
                if first_at[record.value] != record.offset and record.value not in reported:
                    reported[record.value] = True
                    first, second = (where, first_at[record.value]), (where, record.offset)
                    found.append(partial(_twice, evidence, record.value, first, second, read.operation))
    return ruling("duplicate", found, rules)


def _twice(
    evidence: Evidence,
    value: str,
    first: tuple[TopicPartition, int],
    second: tuple[TopicPartition, int],
    operation: Operation,
) -> Anomaly:
    (one_topic, one), one_offset = first
    (other_topic, other), other_offset = second
    attempt = evidence.by_value.get(value)
    lines = send_lines(attempt) if attempt else []
    seen = evidence.partition(first[0]).first_reads[value]
    lines.append((seen.time_ns, line(seen, f"{one_topic}-{one}  offset {one_offset} → {value}")))
    lines.append((operation.time_ns, line(operation, f"{other_topic}-{other}  offset {other_offset} → {value}")))
    if attempt and attempt.completed:
        lines += fault_lines(evidence.faults_between(attempt.invoked.time_ns, attempt.completed.time_ns))
    places = f"{one_topic}-{one} offset {one_offset} and {other_topic}-{other} offset {other_offset}"
    sentence = f"value {value} was sent once, and stands at {places}"
    return anomaly("duplicate", sentence, ordered(lines), operation.index)
