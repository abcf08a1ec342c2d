"""A history, sorted for checkers: each send with its outcome, each partition with what was read of it.

Built once for all checkers of a history, in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.history.operations import (
    NEMESIS,
    Acknowledged,
    FinalEnd,
    History,
    Operation,
    OpType,
    Polled,
    Position,
    Record,
    Send,
)

TopicPartition = tuple[str, int]


@dataclass(slots=True)
class Attempt:
    """A send and what became of it; an outcome that never came is INFO."""

    invoked: Operation
    send: Send
    completed: Operation | None = None
    outcome: OpType = OpType.INFO
    partition: int = -1
    offset: int = -1

    @property
    def where(self) -> TopicPartition:
        """The partition that it went to."""
        return self.send.topic, self.partition


@dataclass(slots=True)
class Read:
    """A run of records that a poll or a final read returned of one partition."""

    operation: Operation
    records: tuple[Record, ...]
    is_final: bool


@dataclass(slots=True)
class PartitionEvidence:
    """All that is known of one partition."""

    reads: list[Read] = field(default_factory=list)
    end: FinalEnd | None = None
    holders: dict[str, int] = field(default_factory=dict)
    """Value → the first offset at which it was seen."""
    final_values: dict[str, int] = field(default_factory=dict)
    """Value → its first offset in the final read."""
    first_reads: dict[str, Operation] = field(default_factory=dict)
    """Value → the operation that first saw it."""


@dataclass(slots=True)
class Evidence:
    """What the checkers of the queue workload need."""

    attempts: list[Attempt] = field(default_factory=list)
    by_value: dict[str, Attempt] = field(default_factory=dict)
    partitions: dict[TopicPartition, PartitionEvidence] = field(default_factory=dict)
    process_reads: list[tuple[Operation, Polled | Position]] = field(default_factory=list)
    """Polls and changes of position, in history order; final reads too, each by a process of its own."""
    faults: list[Operation] = field(default_factory=list)
    _places: set[tuple[TopicPartition, int, str]] | None = None

    @classmethod
    def of(cls, history: History) -> Evidence:
        """The evidence of a history; derived on the first call only."""
        known = history.memo.get("evidence")
        if isinstance(known, Evidence):
            return known
        evidence = cls()
        open_sends: dict[int, Attempt] = {}
        for operation in history.operations:
            evidence._take(operation, open_sends)
        history.memo["evidence"] = evidence
        return evidence

    def _take(self, operation: Operation, open_sends: dict[int, Attempt]) -> None:
        value = operation.value
        if operation.f == "send":
            if isinstance(value, Send):
                attempt = Attempt(operation, value, partition=value.partition)
                open_sends[operation.index] = attempt
                self.attempts.append(attempt)
                self.by_value[value.value] = attempt
            elif operation.of is not None:
                self._complete(operation, open_sends.pop(operation.of, None))
        elif isinstance(value, Polled):
            self.process_reads.append((operation, value))
            self._see(operation, value)
        elif isinstance(value, Position):
            self.process_reads.append((operation, value))
        elif isinstance(value, FinalEnd):
            self.partition((value.topic, value.partition)).end = value
        elif operation.process == NEMESIS:
            self.faults.append(operation)

    @staticmethod
    def _complete(operation: Operation, attempt: Attempt | None) -> None:
        if attempt is None:
            return
        attempt.completed = operation
        attempt.outcome = operation.kind
        if isinstance(operation.value, Acknowledged):
            attempt.offset = operation.value.offset
            if operation.value.partition >= 0:
                attempt.partition = operation.value.partition

    def _see(self, operation: Operation, polled: Polled) -> None:
        partition = self.partition((polled.topic, polled.partition))
        is_final = operation.f == "final_read"
        partition.reads.append(Read(operation, polled.records, is_final))
        holders, first_reads, final_values = partition.holders, partition.first_reads, partition.final_values
        for record in polled.records:
            if record.value not in holders:
                holders[record.value] = record.offset
                first_reads[record.value] = operation
            if is_final:
                final_values.setdefault(record.value, record.offset)

    def partition(self, where: TopicPartition) -> PartitionEvidence:
        """What is known of a partition, made when it is new."""
        found = self.partitions.get(where)
        if found is None:
            found = self.partitions[where] = PartitionEvidence()
        return found

    def acknowledged(self) -> list[Attempt]:
        """Sends that were acknowledged, in invoke order."""
        return [attempt for attempt in self.attempts if attempt.outcome is OpType.OK]

    def places(self) -> set[tuple[TopicPartition, int, str]]:
        """Every (partition, offset, value) that was read, for membership only; derived on the first call."""
        if self._places is None:
            self._places = {
                (where, record.offset, record.value)
                for where, partition in self.partitions.items()
                for read in partition.reads
                for record in read.records
            }
        return self._places

    def faults_between(self, start_ns: int, end_ns: int, at_most: int = 4) -> list[Operation]:
        """What the nemesis did in a stretch of time, for witnesses; the last few."""
        return [fault for fault in self.faults if start_ns <= fault.time_ns <= end_ns][-at_most:]


def line(operation: Operation, what: str) -> str:
    """One line of a witness: time, process, function, what."""
    return f"t={operation.time_ns / 1e9:9.3f}  {operation.process:<12} {operation.f:<10} {what}"


def send_lines(attempt: Attempt) -> list[tuple[int, str]]:
    """(time, line) of a send and of its end."""
    topic, partition = attempt.where
    sent = line(attempt.invoked, f"{topic}-{partition}  value {attempt.send.value}")
    found = [(attempt.invoked.time_ns, sent)]
    if attempt.completed is None:
        return [*found, (attempt.invoked.time_ns, "             … no answer came")]
    if attempt.outcome is OpType.OK:
        what = f"value {attempt.send.value} → acknowledged, offset {attempt.offset}"
    else:
        what = f"value {attempt.send.value} → {attempt.outcome}: {attempt.completed.error or 'no reason given'}"
    return [*found, (attempt.completed.time_ns, line(attempt.completed, what))]


def fault_lines(faults: Sequence[Operation]) -> list[tuple[int, str]]:
    """(time, line) of what the nemesis did."""
    return [(fault.time_ns, line(fault, str(fault.value or ""))) for fault in faults]


def ordered(lines: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    """Lines of a witness in the order of time."""
    return tuple(text for _, text in sorted(lines, key=lambda timed: timed[0]))
