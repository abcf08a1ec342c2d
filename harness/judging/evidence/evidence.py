"""A history as checkers use it, built in one pass: each send with its completion, each partition as it was read.

It is built once for all checkers of a history. Its size does not depend on the number of reads: polled records are
compared with what was read at the same offsets before, and only new or different ones are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from harness.history.files import HistoryTrouble
from harness.history.history import AnyHistory
from harness.history.operations import (
    NEMESIS,
    Acknowledged,
    AdminCall,
    Assign,
    Assigned,
    Commit,
    FaultAct,
    FinalEnd,
    Lost,
    Operation,
    OpType,
    PartitionStates,
    Polled,
    ProducerIdentity,
    Record,
    Retries,
    Revoked,
    Seek,
    Send,
    Subscribe,
)
from harness.judging.evidence.consumers import Consumers
from harness.judging.evidence.found import Found
from harness.judging.evidence.freshness import Freshness
from harness.judging.evidence.identities import Identities
from harness.judging.evidence.log import FINAL, Cells, ObservedLog
from harness.judging.evidence.names import Names
from harness.judging.evidence.sends import ACKNOWLEDGED, REFUSED, UNANSWERED, Sends

TopicPartition = tuple[str, int]
_OUTCOMES = {OpType.OK: ACKNOWLEDGED, OpType.FAIL: REFUSED}


@dataclass(frozen=True, slots=True)
class Sighting:
    """A record in a partition, and the index of a poll that returned it."""

    where: int
    offset: int
    poll: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two different records that were read at one offset."""

    where: int
    offset: int
    first_poll: int
    second_poll: int


@dataclass(frozen=True, slots=True)
class LeaderChange:
    """A partition's leader epoch changed between two descriptions of the cluster."""

    where: int
    leader: int
    leader_epoch: int
    new_leader: int
    new_epoch: int


@dataclass(slots=True)
class Evidence:
    """The evidence for the checkers of the queue workload."""

    history: AnyHistory
    sends: Sends = field(default_factory=Sends)
    names: Names = field(default_factory=Names)
    partitions: list[TopicPartition] = field(default_factory=list)
    """All partitions; other fields refer to them by their index here (`where`)."""
    logs: list[ObservedLog] = field(default_factory=list)
    ends: dict[int, FinalEnd] = field(default_factory=dict)
    """Partition → how far its final read came."""
    consumers: Consumers = field(default_factory=Consumers)
    freshness: Freshness = field(default_factory=Freshness)
    identities: Identities = field(default_factory=Identities)
    processes: list[str] = field(default_factory=list)
    """Names of the processes that send; `sends.process` is the index here."""
    faults: list[Operation] = field(default_factory=list)
    admin_calls: list[Operation] = field(default_factory=list)
    """Completions of admin calls."""
    twice: dict[int, tuple[Sighting, ...]] = field(default_factory=dict)
    """Row of a send → further places at which its value was read, besides the first."""
    conflicts: Found[Conflict] = field(default_factory=Found)
    corrupt: Found[Sighting] = field(default_factory=Found)
    """Records whose key, headers or value differ from those sent, or that nobody sent."""
    mistimed: Found[Sighting] = field(default_factory=Found)
    """Records whose timestamp differs from the one sent."""
    misplaced: Found[Sighting] = field(default_factory=Found)
    """Records in another partition than the one to which they were sent."""
    epochs_changed: Found[Conflict] = field(default_factory=Found)
    """Records that were read again with another leader epoch."""
    deleted_before: dict[int, int] = field(default_factory=dict)
    """Partition → highest offset of a DeleteRecords request, below which records may be deleted."""
    leader_changes: list[LeaderChange] = field(default_factory=list)
    has_states: bool = False
    """Whether the history describes the leader of some partition at least twice."""
    second_ends: int = 0
    """Completions of sends that were already complete, or never invoked."""
    retries: int | None = None
    """Number of records resent by producers; None if no library counts them."""
    polls: int = 0
    """Number of polls that returned records, without the final read."""
    last_polls_ns: dict[str, int] = field(default_factory=dict)
    """Process → time of its last poll, whether successful or not, without the final read."""
    is_complete: bool = True
    _numbers: dict[TopicPartition, int] = field(default_factory=dict)
    _process_numbers: dict[str, int] = field(default_factory=dict)
    _open: dict[int, int] = field(default_factory=dict)
    """Index of the invoke → row, for sends without a completion so far."""
    _open_commits: dict[int, Commit] = field(default_factory=dict)
    _floors: dict[int, int] = field(default_factory=dict)
    _states: dict[int, tuple[int, int]] = field(default_factory=dict)
    _now: Operation | None = None
    """The poll that is being processed."""
    _where: int = -1

    @classmethod
    def of(cls, history: AnyHistory) -> Evidence:
        """The evidence of a history; built on the first call, then cached. HistoryTrouble if the history is damaged."""
        known = history.memo.get("evidence")
        if isinstance(known, Evidence):
            return known
        evidence = cls(history)
        takers = evidence._takers()
        for operation in history:
            try:
                taker = takers.get(type(operation.value))
                if taker is not None:
                    taker(operation, operation.value)
                elif operation.kind is not OpType.INVOKE:
                    evidence._take_end(operation)
            except OverflowError as trouble:
                what = f"operation {operation.index} ({operation.f}) has a number that no offset or time can be"
                raise HistoryTrouble(f"{what}; the history cannot be judged") from trouble
        evidence._finish()
        history.memo["evidence"] = evidence
        return evidence

    def _takers(self) -> dict[type, Callable[[Operation, Any], None]]:
        return {
            Send: self._take_send,
            Acknowledged: self._take_acknowledgement,
            Polled: self._take_poll,
            Assign: self._take_assign,
            Seek: self._take_seek,
            Subscribe: self._take_subscribe,
            Assigned: self._take_change,
            Revoked: self._take_change,
            Lost: self._take_change,
            Commit: self._take_commit,
            FinalEnd: self._take_final_end,
            ProducerIdentity: self._take_identity,
            Retries: self._take_retries,
            PartitionStates: self._take_states,
            AdminCall: self._take_admin_call,
            FaultAct: self._take_fault,
        }

    def _take_send(self, operation: Operation, value: Send) -> None:
        sends, where = self.sends, self.number(value.topic, value.partition)
        row = len(sends.invoked)
        sends.invoked.append(operation.index)
        sends.completed.append(-1)
        sends.process.append(self._process(operation.process))
        sends.where.append(where)
        sends.asked.append(where if value.partition >= 0 else -1)
        sends.outcome.append(UNANSWERED)
        sends.offset.append(-1)
        sends.content.append(hash((value.key, value.headers, value.checksum)))
        sends.timestamp.append(value.timestamp)
        sends.floor.append(self._floors.get(where, -1))
        self.identities.pass_by(operation)
        sends.identity.append(self.identities.count(operation.process))
        sends.last_identity.append(-1)
        sends.seen_in.append(-1)
        sends.seen_at.append(-1)
        self.names.add(value.value, row)
        self._open[operation.index] = row

    def _take_acknowledgement(self, operation: Operation, value: Acknowledged) -> None:
        row = self._end_send(operation)
        if row is None or operation.kind is not OpType.OK:
            return
        sends = self.sends
        sends.offset[row] = value.offset
        if value.partition >= 0 and value.partition != self.partitions[sends.where[row]][1]:
            sends.where[row] = self.number(self.partitions[sends.where[row]][0], value.partition)
        where = sends.where[row]
        if value.offset > self._floors.get(where, -1):
            self._floors[where] = value.offset
        if value.offset >= 0:
            is_seen = sends.seen_in[row] >= 0
            self.freshness.acknowledge(where, value.offset, operation.time_ns, is_seen=is_seen)

    def _take_end(self, operation: Operation) -> None:
        """A completion without a value: of a failed poll or send, or of a commit."""
        if operation.f == "poll":
            self.last_polls_ns[operation.process] = operation.time_ns
        elif operation.f == "send":
            self._end_send(operation)
        elif operation.f == "commit":
            commit = self._open_commits.pop(operation.of if operation.of is not None else -1, None)
            if commit is None or operation.of is None:
                return
            for topic, partition, _ in commit.offsets:
                register = self.consumers.register(commit.group, self.number(topic, partition))
                if operation.kind is OpType.OK:
                    register.succeed(operation.of, operation.index)
                elif operation.kind is OpType.FAIL:
                    register.refuse(operation.of)

    def _end_send(self, operation: Operation) -> int | None:
        row = self._open.pop(operation.of if operation.of is not None else -1, None)
        self.identities.pass_by(operation)
        if row is None:
            self.second_ends += 1
        else:
            self.sends.completed[row] = operation.index
            self.sends.outcome[row] = _OUTCOMES.get(operation.kind, UNANSWERED)
            self.sends.last_identity[row] = self.identities.count(operation.process)
        return row

    def _take_poll(self, operation: Operation, value: Polled) -> None:
        is_final, process = operation.f == "final_read", operation.process
        if not is_final:
            self.last_polls_ns[process] = operation.time_ns
        if not value.partitions:
            return
        reader: str | None = FINAL if is_final else self.consumers.group_of(process) or None
        self._now = operation
        self.polls += not is_final
        for topic, partition, records in ((part.topic, part.partition, part.records) for part in value.partitions):
            if not records:
                continue
            where = self._where = self.number(topic, partition)
            offsets = self.logs[where].see(records, operation.index, reader, self._discover, self._differ)
            if not is_final:
                before = self.consumers.next_offset(process, where)
                if before is not None:
                    self.freshness.read(process, where, before, operation.index, operation.time_ns)
            invoked = operation.index if operation.of is None else operation.of
            self.consumers.read(process, where, offsets, operation.index, invoked)
            highest = max(offsets[0], offsets[-1])
            if highest > self._floors.get(where, -1):
                self._floors[where] = highest

    def _discover(self, record: Record, poll: int) -> int:
        """Handles a record that is read at its offset for the first time; returns the row of its send."""
        row, where, sends = self.names.row(record.value), self._where, self.sends
        if row < 0:
            self.corrupt.add(Sighting(where, record.offset, poll))
            return row
        self._compare(record, row, poll)
        if sends.asked[row] not in (-1, where):
            self.misplaced.add(Sighting(where, record.offset, poll))
        if sends.seen_in[row] < 0:
            sends.seen_in[row], sends.seen_at[row] = where, record.offset
            if sends.outcome[row] == ACKNOWLEDGED and sends.offset[row] >= 0 and self._now is not None:
                self.freshness.see(self._now.time_ns)
        elif (sends.seen_in[row], sends.seen_at[row]) != (where, record.offset):
            self.twice[row] = (*self.twice.get(row, ()), Sighting(where, record.offset, poll))
        return row

    def _compare(self, record: Record, row: int, poll: int) -> None:
        if hash((record.key, record.headers, record.checksum)) != self.sends.content[row]:
            self.corrupt.add(Sighting(self._where, record.offset, poll))
        sent = self.sends.timestamp[row]
        if sent not in (-1, record.timestamp):
            self.mistimed.add(Sighting(self._where, record.offset, poll))

    def _differ(self, record: Record, poll: int, first_row: int, first_poll: int) -> int:
        """Handles a record that differs from what was read at its offset before; returns the row of its send."""
        conflict = Conflict(self._where, record.offset, first_poll, poll)
        row = self.names.row(record.value)
        if row != first_row or row < 0:
            self.conflicts.add(conflict)
            if row >= 0 and self.sends.seen_in[row] < 0:
                self._discover(record, poll)
            return row
        wrong = self.corrupt.count + self.mistimed.count
        self._compare(record, row, poll)
        if wrong == self.corrupt.count + self.mistimed.count:
            self.epochs_changed.add(conflict)
        return row

    def _take_assign(self, operation: Operation, value: Assign) -> None:
        self.consumers.assign(operation, value, [self.number(topic, number) for topic, number, _ in value.partitions])

    def _take_seek(self, operation: Operation, value: Seek) -> None:
        self.consumers.seek(operation, value, self.number(value.topic, value.partition))

    def _take_subscribe(self, operation: Operation, value: Subscribe) -> None:
        self.consumers.subscribe(operation, value)

    def _take_change(self, operation: Operation, value: Assigned | Revoked | Lost) -> None:
        self.consumers.change(operation, value, [self.number(*where) for where in value.partitions])

    def _take_commit(self, operation: Operation, value: Commit) -> None:
        if operation.kind is OpType.INVOKE:
            self._open_commits[operation.index] = value
            for topic, partition, offset in value.offsets:
                register = self.consumers.register(value.group, self.number(topic, partition))
                register.invoke(operation.index, offset)

    def _take_final_end(self, operation: Operation, value: FinalEnd) -> None:
        self.ends[self.number(value.topic, value.partition)] = value

    def _take_identity(self, operation: Operation, value: ProducerIdentity) -> None:
        self.identities.take(operation, value)

    def _take_retries(self, operation: Operation, value: Retries) -> None:
        self.retries = (self.retries or 0) + value.count

    def _take_states(self, operation: Operation, value: PartitionStates) -> None:
        for state in value.partitions:
            where = self.number(state.topic, state.partition)
            before = self._states.get(where)
            if before is not None:
                self.has_states = True
                if before[1] != state.leader_epoch:
                    change = LeaderChange(where, *before, state.leader, state.leader_epoch)
                    self.leader_changes.append(change)
            self._states[where] = (state.leader, state.leader_epoch)

    def _take_admin_call(self, operation: Operation, value: AdminCall) -> None:
        asked = value.parameters
        if operation.kind is not OpType.INVOKE:
            self.admin_calls.append(operation)
        if value.api == "DeleteRecords" and operation.kind is OpType.INVOKE:
            where = self.number(asked["topic"], int(asked["partition"]))
            self.deleted_before[where] = max(int(asked["offset"]), self.deleted_before.get(where, 0))

    def _take_fault(self, operation: Operation, value: FaultAct) -> None:
        if operation.process == NEMESIS:
            self.faults.append(operation)

    def _finish(self) -> None:
        self.is_complete = self.history.is_complete
        self._open.clear()
        for log in self.logs:
            log.finish()

    def number(self, topic: str, partition: int) -> int:
        """The number of a partition; a new one is assigned at its first occurrence."""
        found = self._numbers.get((topic, partition))
        if found is None:
            found = self._numbers[topic, partition] = len(self.partitions)
            self.partitions.append((topic, partition))
            self.logs.append(ObservedLog())
        return found

    def _process(self, name: str) -> int:
        found = self._process_numbers.get(name)
        if found is None:
            found = self._process_numbers[name] = len(self.processes)
            self.processes.append(name)
        return found

    def place(self, where: int) -> str:
        """The name of a partition: "orders-0"."""
        topic, number = self.partitions[where]
        return f"{topic}-{number}"

    def cells(self, where: int) -> Cells:
        """A partition's log as it was read."""
        cells = self.logs[where].cells
        assert cells is not None
        return cells

    def records_read(self) -> int:
        """Number of records that polls returned, including repeated ones."""
        return sum(log.records for log in self.logs)
