"""One offset that held two records, to different readers or at different times. O(records)."""

from __future__ import annotations

from functools import partial

from harness.history.operations import History, Operation
from harness.judging.checkers.evidence import Evidence, TopicPartition, fault_lines, line, ordered
from harness.judging.checkers.ruling import anomaly, ruling
from harness.judging.guarantees import Guarantees
from harness.judging.verdicts import Anomaly, Verdict


def inconsistent_offsets(history: History, rules: Guarantees) -> Verdict:
    """(partition, offset) pairs at which two different values were read, or acknowledged."""
    evidence = Evidence.of(history)
    found = []
    acknowledged: dict[TopicPartition, dict[int, tuple[str, Operation]]] = {}
    for attempt in evidence.acknowledged():
        if attempt.offset < 0 or attempt.completed is None:
            continue
        cells = acknowledged.setdefault(attempt.where, {})
        first = cells.setdefault(attempt.offset, (attempt.send.value, attempt.completed))
        if first[0] != attempt.send.value:
            second = (attempt.send.value, attempt.completed)
            found.append(partial(_two, evidence, attempt.where, attempt.offset, first, second, "acknowledged"))
    for where, partition in evidence.partitions.items():
        held: dict[int, tuple[str, Operation]] = {}
        known = held.get
        for read in partition.reads:
            for record in read.records:
                first_read = known(record.offset)
                if first_read is None:
                    held[record.offset] = (record.value, read.operation)
                elif first_read[0] != record.value:
                    other = (record.value, read.operation)
                    found.append(partial(_two, evidence, where, record.offset, first_read, other, "read"))
    return ruling("inconsistent-offsets", found, rules)


def _two(
    evidence: Evidence,
    where: TopicPartition,
    offset: int,
    first: tuple[str, Operation],
    second: tuple[str, Operation],
    how: str,
) -> Anomaly:
    topic, number = where
    lines = [
        (operation.time_ns, line(operation, f"{topic}-{number}  offset {offset} → {value}"))
        for value, operation in (first, second)
    ]
    lines += fault_lines(evidence.faults_between(first[1].time_ns, second[1].time_ns))
    sentence = f"{topic}-{number} offset {offset} was {how} with value {first[0]} and with value {second[0]}"
    return anomaly("inconsistent-offsets", sentence, ordered(lines), second[1].index)
