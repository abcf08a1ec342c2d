"""Records that a consumer was given and that the log no longer holds: read-back, over restarts too. O(records)."""

from __future__ import annotations

from functools import partial

from harness.history.operations import History
from harness.judging.checkers.evidence import Evidence, TopicPartition, fault_lines, line, ordered, send_lines
from harness.judging.checkers.ruling import anomaly, ruling, unread
from harness.judging.guarantees import Guarantees
from harness.judging.verdicts import Anomaly, Verdict


def vanished_read(history: History, rules: Guarantees) -> Verdict:
    """Values that a poll returned and the final read did not, though it read to the end."""
    evidence = Evidence.of(history)
    found = []
    unfinished = []
    for where, partition in evidence.partitions.items():
        end = partition.end
        if end is None or not end.is_whole:
            unfinished.append(f"{where[0]}-{where[1]}")
        reached = end.reached if end is not None else -1
        start = end.start if end is not None else 0
        is_whole = end is not None and end.is_whole
        for value, offset in partition.holders.items():
            if value in partition.final_values or offset < start:
                continue
            if offset < reached or is_whole:
                found.append(partial(_vanished, evidence, where, value, offset))
    return ruling("vanished-read", found, rules, unknown=unread(history, sorted(unfinished)))


def _vanished(evidence: Evidence, where: TopicPartition, value: str, offset: int) -> Anomaly:
    topic, number = where
    partition = evidence.partitions[where]
    seen = partition.first_reads[value]
    attempt = evidence.by_value.get(value)
    lines = send_lines(attempt) if attempt else []
    lines.append((seen.time_ns, line(seen, f"{topic}-{number}  offset {offset} → {value}")))
    lines += fault_lines(evidence.faults_between(seen.time_ns, seen.time_ns + 60_000_000_000))
    if partition.end:
        span = f"offsets {partition.end.start} to {partition.end.reached - 1}"
        lines.append((1 << 62, f"end          final read   {span}; without {value}"))
    place = f"{topic}-{number} offset {offset}"
    sentence = f"value {value} was read by {seen.process} at {place}, and is gone from the log"
    return anomaly("vanished-read", sentence, ordered(lines), seen.index)
