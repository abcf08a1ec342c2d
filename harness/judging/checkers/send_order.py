"""Records that stand in another order than they were sent. O(sends)."""

from __future__ import annotations

from functools import partial

from harness.history.operations import History, OpType
from harness.judging.checkers.evidence import Attempt, Evidence, TopicPartition, fault_lines, ordered, send_lines
from harness.judging.checkers.ruling import anomaly, ruling
from harness.judging.guarantees import Guarantees
from harness.judging.verdicts import Anomaly, Verdict


def nonmonotonic_send(history: History, rules: Guarantees) -> Verdict:
    """Acknowledged records of one process whose offsets in a partition do not grow in the order of sending."""
    evidence = Evidence.of(history)
    latest: dict[tuple[str, TopicPartition], Attempt] = {}
    found = []
    for attempt in evidence.attempts:
        if attempt.outcome is not OpType.OK or attempt.offset < 0:
            continue
        key = (attempt.invoked.process, attempt.where)
        before = latest.get(key)
        if before is not None and attempt.offset <= before.offset:
            found.append(partial(_swapped, "nonmonotonic-send", evidence, before, attempt, "sent before"))
        else:
            latest[key] = attempt
    return ruling("nonmonotonic-send", found, rules)


def realtime_order(history: History, rules: Guarantees) -> Verdict:
    """Records that were sent after another was acknowledged, and stand before it; whoever sent them."""
    evidence = Evidence.of(history)
    by_invoke = {attempt.invoked.index: attempt for attempt in evidence.attempts}
    highest: dict[TopicPartition, Attempt] = {}
    floors: dict[int, Attempt] = {}
    found = []
    for operation in history.operations:
        if operation.f != "send":
            continue
        if operation.kind is OpType.INVOKE:
            invoked = by_invoke.get(operation.index)
            floor = highest.get(invoked.where) if invoked else None
            if floor is not None:
                floors[operation.index] = floor
            continue
        attempt = by_invoke.get(operation.of) if operation.of is not None else None
        if attempt is None or operation.kind is not OpType.OK or attempt.offset < 0:
            continue
        below = floors.pop(attempt.invoked.index, None)
        if below is not None and attempt.offset <= below.offset:
            found.append(partial(_swapped, "realtime-order", evidence, below, attempt, "acknowledged before"))
        top = highest.get(attempt.where)
        if top is None or attempt.offset > top.offset:
            highest[attempt.where] = attempt
    return ruling("realtime-order", found, rules)


def _swapped(name: str, evidence: Evidence, first: Attempt, second: Attempt, how: str) -> Anomaly:
    topic, number = second.where
    end = second.completed or second.invoked
    lines = send_lines(first) + send_lines(second)
    lines += fault_lines(evidence.faults_between(first.invoked.time_ns, end.time_ns))
    sentence = (
        f"value {first.send.value} was {how} value {second.send.value} was sent, but in {topic}-{number} they stand at "
        f"offsets {first.offset} and {second.offset}"
    )
    if name == "nonmonotonic-send":
        sentence = sentence.replace("sent before value", "sent before").replace(" was sent, but", ", but")
    return anomaly(name, sentence, ordered(lines), second.invoked.index)
