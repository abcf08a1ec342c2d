"""Records that come back otherwise than they were sent, or that nobody sent. O(records)."""

from __future__ import annotations

from functools import partial

from harness.history.operations import History, Operation, OpType, Record, Send
from harness.judging.checkers.evidence import Evidence, TopicPartition, line, send_lines
from harness.judging.checkers.ruling import anomaly, ruling
from harness.judging.guarantees import Guarantees
from harness.judging.verdicts import Anomaly, Verdict


def record_integrity(history: History, rules: Guarantees) -> Verdict:
    """Reads whose key, headers, timestamp or value bytes differ from what was sent; reads of values never sent.

    With message.timestamp.type=LogAppendTime the broker sets the timestamp, and it is not compared.
    """
    evidence = Evidence.of(history)
    sent = {value: attempt.send for value, attempt in evidence.by_value.items()}
    compares_time = rules.topic.timestamp_type == "CreateTime"
    found = []
    for where, partition in evidence.partitions.items():
        for read in partition.reads:
            for record in read.records:
                send = sent.get(record.value)
                if send is None or not _is_same(send, record, compares_time):
                    found.append(partial(_differs, evidence, where, read.operation, record, compares_time))
    return ruling("corrupt-record", found, rules)


def aborted_read(history: History, rules: Guarantees) -> Verdict:
    """Values that were read although their send was refused for certain (G1a)."""
    evidence = Evidence.of(history)
    found = []
    for attempt in evidence.attempts:
        if attempt.outcome is not OpType.FAIL:
            continue
        partition = evidence.partitions.get(attempt.where)
        seen = partition.first_reads.get(attempt.send.value) if partition else None
        if seen is not None:
            found.append(partial(_refused, evidence, attempt.send.value, seen))
    return ruling("aborted-read", found, rules)


def _is_same(send: Send, record: Record, compares_time: bool) -> bool:
    return (
        send.checksum == record.checksum
        and send.key == record.key
        and send.headers == record.headers
        and (not compares_time or send.timestamp in (-1, record.timestamp))
    )


def _differs(
    evidence: Evidence, where: TopicPartition, operation: Operation, record: Record, compares_time: bool
) -> Anomaly:
    topic, number = where
    place = f"{topic}-{number} offset {record.offset}"
    attempt = evidence.by_value.get(record.value)
    if attempt is None:
        sentence = f"{place} holds a value that nobody sent: {record.value}"
        return anomaly("corrupt-record", sentence, [line(operation, f"{place} → {record.value}")], operation.index)
    send = attempt.send
    parts: list[tuple[str, object, object]] = [
        ("value checksum", f"{send.checksum:08x}", f"{record.checksum:08x}"),
        ("key", send.key, record.key),
        ("headers", send.headers, record.headers),
    ]
    if compares_time and send.timestamp != -1:
        parts.append(("timestamp", send.timestamp, record.timestamp))
    wrong = [f"{what} {ours!r} came back as {theirs!r}" for what, ours, theirs in parts if ours != theirs]
    lines = [text for _, text in send_lines(attempt)]
    lines.append(line(operation, f"{place} → {record.value}: {'; '.join(wrong)}"))
    return anomaly("corrupt-record", f"{place}, value {record.value}: {'; '.join(wrong)}", lines, operation.index)


def _refused(evidence: Evidence, value: str, seen: Operation) -> Anomaly:
    attempt = evidence.by_value[value]
    topic, number = attempt.where
    offset = evidence.partitions[attempt.where].holders[value]
    lines = [text for _, text in send_lines(attempt)]
    lines.append(line(seen, f"{topic}-{number}  offset {offset} → {value}"))
    error = attempt.completed.error if attempt.completed else None
    sentence = f"value {value} was refused ({error}), and was read at {topic}-{number} offset {offset}"
    return anomaly("aborted-read", sentence, lines, seen.index)
