"""Checks that records are read as they were sent, from the right partition, and that no others are read. O(records)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain

import numpy as np

from harness.history.history import AnyHistory
from harness.history.operations import Record, Send
from harness.judging.checkers.ruling import anomaly, counted, ruling
from harness.judging.evidence.evidence import Evidence, Sighting
from harness.judging.evidence.sends import REFUSED
from harness.judging.evidence.witness import first_read_lines, line, ordered, record_at, send_lines, sent
from harness.judging.guarantees import Guarantees
from harness.judging.verdicts import Anomaly, Verdict

_Maker = Callable[[], Anomaly]


def record_integrity(history: AnyHistory, rules: Guarantees) -> Verdict:
    """Finds records whose key, headers, timestamp, value or partition differ from what was sent, and values never sent.

    Timestamps are not compared with message.timestamp.type=LogAppendTime, where the broker sets them.
    """
    evidence = Evidence.of(history)
    compares_time = rules.topic.timestamp_type == "CreateTime"
    mistimed = evidence.mistimed if compares_time else ()
    found: Iterator[_Maker] = chain(
        (partial(_differs, evidence, seen, compares_time) for seen in chain(evidence.corrupt, evidence.misplaced)),
        (partial(_differs, evidence, seen, compares_time) for seen in mistimed),
    )
    read = evidence.records_read()
    return ruling(
        "corrupt-record",
        found,
        rules,
        count=evidence.corrupt.count + evidence.misplaced.count + (evidence.mistimed.count if compares_time else 0),
        rests_on=f"{counted(read, 'record')} read and compared with what was sent",
        unknown=None if read else "no record was read",
    )


def aborted_read(history: AnyHistory, rules: Guarantees) -> Verdict:
    """Finds values that were read although their send certainly failed (G1a)."""
    evidence = Evidence.of(history)
    is_refused = evidence.sends.column("outcome") == REFUSED
    rows = np.flatnonzero(is_refused & (evidence.sends.column("seen_in") >= 0)).tolist()
    return ruling(
        "aborted-read",
        (partial(_refused, evidence, row) for row in rows),
        rules,
        count=len(rows),
        rests_on=f"{counted(int(np.count_nonzero(is_refused)), 'refused record')}",
    )


def _differs(evidence: Evidence, seen: Sighting, compares_time: bool) -> Anomaly:
    place = f"{evidence.place(seen.where)} offset {seen.offset}"
    poll = evidence.history.operation(seen.poll)
    record = record_at(poll, *evidence.partitions[seen.where], seen.offset)
    assert record is not None
    row = evidence.names.row(record.value)
    if row < 0:
        sentence = f"{place} holds a value that nobody sent: {record.value}"
        return anomaly("corrupt-record", sentence, [line(poll, f"{place} → {record.value}")], seen.poll)
    _, send = sent(evidence, row)
    wrong = "; ".join(_unlike(send, evidence.partitions[seen.where][1], record, compares_time))
    lines = [*send_lines(evidence, row), (poll.time_ns, line(poll, f"{place} → {record.value}: {wrong}"))]
    return anomaly("corrupt-record", f"{place}, value {record.value}: {wrong}", ordered(lines), seen.poll)


def _unlike(send: Send, partition: int, record: Record, compares_time: bool) -> list[str]:
    parts: list[tuple[str, object, object]] = [
        ("value checksum", f"{send.checksum:08x}", f"{record.checksum:08x}"),
        ("key", send.key, record.key),
        ("headers", send.headers, record.headers),
    ]
    if send.partition >= 0:
        parts.append(("partition", send.partition, partition))
    if compares_time and send.timestamp != -1:
        parts.append(("timestamp", send.timestamp, record.timestamp))
    return [f"{what} {ours!r} came back as {theirs!r}" for what, ours, theirs in parts if ours != theirs]


def _refused(evidence: Evidence, row: int) -> Anomaly:
    sends = evidence.sends
    _, send = sent(evidence, row)
    completed = evidence.history.operation(sends.completed[row])
    lines = send_lines(evidence, row) + first_read_lines(evidence, row)
    place = f"{evidence.place(sends.seen_in[row])} offset {sends.seen_at[row]}"
    sentence = f"value {send.value} was refused ({completed.error}), and was read at {place}"
    return anomaly("aborted-read", sentence, ordered(lines), sends.invoked[row])
