"""A history, gathered for checkers in one pass: each send with its end, each partition as its readers saw it.

Once for all checkers of a history. Nothing of it grows with the number of reads: what a poll returned is compared with
what was read at the same offsets before, and only what is new or differs is kept.
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
    """Two records that were read at one offset."""

    where: int
    offset: int
    first_poll: int
    second_poll: int


@dataclass(frozen=True, slots=True)
class LeaderChange:
    """Between two looks at the cluster a partition came to have another leader epoch."""

    where: int
    leader: int
    leader_epoch: int
    new_leader: int
    new_epoch: int


@dataclass(slots=True)
class Evidence:
    """What the checkers of the queue workload need."""

    history: AnyHistory
    sends: Sends = field(default_factory=Sends)
    names: Names = field(default_factory=Names)
    partitions: list[TopicPartition] = field(default_factory=list)
    """By their number, which the other parts use."""
    logs: list[ObservedLog] = field(default_factory=list)
    ends: dict[int, FinalEnd] = field(default_factory=dict)
    """How far the final read of each partition came."""
    consumers: Consumers = field(default_factory=Consumers)
    freshness: Freshness = field(default_factory=Freshness)
    identities: Identities = field(default_factory=Identities)
    processes: list[str] = field(default_factory=list)
    """Of sends, by their number."""
    faults: list[Operation] = field(default_factory=list)
    admin_calls: list[Operation] = field(default_factory=list)
    """What administrators asked for, when it was answered."""
    twice: dict[int, tuple[Sighting, ...]] = field(default_factory=dict)
    """Row of a send → the further places at which its value was read."""
    conflicts: Found[Conflict] = field(default_factory=Found)
    corrupt: Found[Sighting] = field(default_factory=Found)
    """Records whose key, headers or bytes are not those that were sent, or that nobody sent."""
    mistimed: Found[Sighting] = field(default_factory=Found)
    """Records whose timestamp is not the one that was sent."""
    misplaced: Found[Sighting] = field(default_factory=Found)
    """Records in another partition than the one that they were sent to."""
    epochs_changed: Found[Conflict] = field(default_factory=Found)
    """Records whose batch had another leader epoch when it was read again."""
    deleted_before: dict[int, int] = field(default_factory=dict)
    """Partition → the offset below which an administrator asked to delete."""
    leader_changes: list[LeaderChange] = field(default_factory=list)
    has_states: bool = False
    """Whether the history says who led the partitions, at two moments at least."""
    second_ends: int = 0
    """Ends of sends that had ended before, or never began."""
    retries: int | None = None
    """Records that producers sent again; None where no library counts them."""
    polls: int = 0
    """Polls of consumers that returned records."""
    last_polls_ns: dict[str, int] = field(default_factory=dict)
    """Process → when it polled last, without a result or not, of the consumers that follow the log."""
    is_complete: bool = True
    _numbers: dict[TopicPartition, int] = field(default_factory=dict)
    _process_numbers: dict[str, int] = field(default_factory=dict)
    _open: dict[int, int] = field(default_factory=dict)
    """Index of an invoke → row, of sends without an end."""
    _open_commits: dict[int, Commit] = field(default_factory=dict)
    _floors: dict[int, int] = field(default_factory=dict)
    _states: dict[int, tuple[int, int]] = field(default_factory=dict)
    _now: Operation | None = None
    """The poll that is being taken."""
    _where: int = -1

    @classmethod
    def of(cls, history: AnyHistory) -> Evidence:
        """The evidence of a history; gathered on the first call only. HistoryTrouble where its file is damaged."""
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
        """A completion that carries nothing: of a poll or a send that failed, or of a commit."""
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
        """The row of a record that is read at its offset for the first time."""
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

    def _differ(self, record: Record, poll: int, first_row: int, first_poll: int) -> None:
        """A record that is not what was read at its offset before."""
        conflict = Conflict(self._where, record.offset, first_poll, poll)
        row = self.names.row(record.value)
        if row != first_row or row < 0:
            self.conflicts.add(conflict)
            if row >= 0 and self.sends.seen_in[row] < 0:
                self._discover(record, poll)
            return
        wrong = self.corrupt.count + self.mistimed.count
        self._compare(record, row, poll)
        if wrong == self.corrupt.count + self.mistimed.count:
            self.epochs_changed.add(conflict)

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
        """The number of a partition, which it is given when it is first named."""
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
        """ "orders-0"."""
        topic, number = self.partitions[where]
        return f"{topic}-{number}"

    def cells(self, where: int) -> Cells:
        """A partition's log as it was read."""
        cells = self.logs[where].cells
        assert cells is not None
        return cells

    def records_read(self) -> int:
        """Records that polls returned, repeated ones included."""
        return sum(log.records for log in self.logs)
