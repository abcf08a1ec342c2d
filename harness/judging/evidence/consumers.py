"""Where each consumer stands in each partition: its steps back, its steps over holes, and where it started.

Within one assignment (a manual one, or one that its group gave) a consumer goes from record to record. What it does
between two assignments is nobody's promise; where it starts again is.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from itertools import pairwise

from harness.history.operations import EARLIEST, Assign, Assigned, Lost, Operation, Revoked, Seek, Subscribe
from harness.judging.evidence.commits import CommitRegister
from harness.judging.evidence.found import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A process read an offset, and next another one that does not follow it. Indexes are those of the polls."""

    process: str
    where: int
    before: int
    before_poll: int
    after: int
    after_poll: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The first record that a process read of a partition after it was assigned, or after a seek."""

    process: str
    where: int
    allowed: frozenset[int]
    """Offsets from which it may start; EARLIEST for the start of the log."""
    began: int
    """Index of the operation that gave it the partition."""
    offset: int
    poll: int
    group: str


@dataclass(slots=True)
class _Mark:
    """Where a process stands in a partition."""

    allowed: frozenset[int] | None
    """Where it may start; None where nothing is known of that."""
    began: int
    last: int | None = None
    """The offset that it read last, since it began."""
    poll: int = -1
    is_settled: bool = False
    """Whether a whole poll has passed since it began: a client may return, from a poll during which partitions were
    assigned, what it had fetched before."""


@dataclass(slots=True)
class _Consumer:
    group: str = ""
    marks: dict[int, _Mark] = field(default_factory=dict)


@dataclass(slots=True)
class Consumers:
    """The consumers of a history, and what they did against the order of offsets."""

    backs: Found[Step] = field(default_factory=Found)
    holes: dict[tuple[int, int, int], Step] = field(default_factory=dict)
    """The last step over each hole, by (partition, offset before, offset after)."""
    starts: Found[Start] = field(default_factory=Found)
    """Those that did not begin exactly at an allowed offset, or at offset 0 of the log where any start is allowed."""
    started: int = 0
    """How many starts were looked at."""
    steps: int = 0
    """How many pairs of records that one process read one after the other were looked at."""
    groups: dict[str, list[str]] = field(default_factory=dict)
    """Group → processes that subscribed."""
    seeks: int = 0
    """How often a process sought an offset."""
    assignments: int = 0
    """How often a group gave partitions to a process."""
    _consumers: dict[str, _Consumer] = field(default_factory=dict)
    _registers: dict[tuple[str, int], CommitRegister] = field(default_factory=dict)

    def register(self, group: str, where: int) -> CommitRegister:
        """What a group has committed of a partition."""
        return self._registers.setdefault((group, where), CommitRegister())

    def group_of(self, process: str) -> str:
        """The group in which a process is; empty for none."""
        consumer = self._consumers.get(process)
        return consumer.group if consumer else ""

    def next_offset(self, process: str, where: int) -> int | None:
        """The offset after the last one that a process has read of a partition since it began; None for none."""
        consumer = self._consumers.get(process)
        mark = consumer.marks.get(where) if consumer else None
        return None if mark is None or mark.last is None else mark.last + 1

    def standing(self, process: str) -> list[tuple[int, int]]:
        """(partition, next offset) of all that a process reads."""
        consumer = self._consumers.get(process)
        marks = consumer.marks.items() if consumer else ()
        return [(where, 0 if mark.last is None else mark.last + 1) for where, mark in marks]

    def assign(self, operation: Operation, value: Assign, wheres: list[int]) -> None:
        """A manual assignment replaces all that the process had."""
        consumer = self._consumers[operation.process] = _Consumer()
        for where, (_, _, offset) in zip(wheres, value.partitions, strict=True):
            consumer.marks[where] = _Mark(frozenset((offset,)), operation.index)

    def seek(self, operation: Operation, value: Seek, where: int) -> None:
        """From here on the process reads on from an offset."""
        self.seeks += 1
        consumer = self._consumers.setdefault(operation.process, _Consumer())
        consumer.marks[where] = _Mark(frozenset((value.offset,)), operation.index)

    def subscribe(self, operation: Operation, value: Subscribe) -> None:
        """A new client of the process, in a group."""
        self._consumers[operation.process] = _Consumer(value.group)
        members = self.groups.setdefault(value.group, [])
        if operation.process not in members:
            members.append(operation.process)

    def change(self, operation: Operation, value: Assigned | Revoked | Lost, wheres: list[int]) -> None:
        """Its group gave partitions to the process, or took them."""
        consumer = self._consumers.setdefault(operation.process, _Consumer(value.group))
        if not isinstance(value, Assigned):
            for where in wheres:
                consumer.marks.pop(where, None)
            return
        self.assignments += 1
        for where in wheres:
            allowed = self.register(value.group, where).in_force()
            consumer.marks[where] = _Mark(allowed, operation.index)

    def read(self, process: str, where: int, offsets: array[int], poll: int, invoked: int) -> None:
        """What a poll returned of a partition. `invoked` is the index of the poll's invoke."""
        consumer = self._consumers.setdefault(process, _Consumer())
        mark = consumer.marks.get(where)
        if mark is None:
            mark = consumer.marks[where] = _Mark(None, poll if consumer.group else -1)
        first, last = offsets[0], mark.last
        if last is None:
            self._start(process, where, consumer.group, mark, first, poll)
        else:
            self.steps += 1
            if first <= last:
                if mark.is_settled or not self._may_start(consumer.group, where, mark, first):
                    step = Step(
                        process=process, where=where, before=last, before_poll=mark.poll, after=first, after_poll=poll
                    )
                    self.backs.add(step)
            elif first > last + 1:
                self._hole(process, where, last, mark.poll, first, poll)
        if offsets[-1] - first != len(offsets) - 1 or offsets != array("q", range(first, first + len(offsets))):
            self._within(process, where, offsets, poll)
        self.steps += len(offsets) - 1
        mark.last, mark.poll = offsets[-1], poll
        mark.is_settled = mark.began < invoked

    def _start(self, process: str, where: int, group: str, mark: _Mark, first: int, poll: int) -> None:
        allowed = mark.allowed
        if allowed is None:
            return
        self.started += 1
        if group:
            allowed = allowed | self.register(group, where).since(mark.began)
        if first not in allowed and not (first == 0 and EARLIEST in allowed):
            self.starts.add(
                Start(
                    process=process,
                    where=where,
                    allowed=allowed,
                    began=mark.began,
                    offset=first,
                    poll=poll,
                    group=group,
                )
            )

    def _may_start(self, group: str, where: int, mark: _Mark, first: int) -> bool:
        """Whether a process that was assigned a partition during its last poll may begin at an offset."""
        allowed = mark.allowed
        if allowed is None:
            return True
        if group:
            allowed = allowed | self.register(group, where).since(mark.began)
        return first in allowed or EARLIEST in allowed

    def _within(self, process: str, where: int, offsets: array[int], poll: int) -> None:
        for before, after in pairwise(offsets):
            if after <= before:
                self.backs.add(
                    Step(process=process, where=where, before=before, before_poll=poll, after=after, after_poll=poll)
                )
            elif after > before + 1:
                self._hole(process, where, before, poll, after, poll)

    def _hole(self, process: str, where: int, before: int, before_poll: int, after: int, poll: int) -> None:
        self.holes[where, before, after] = Step(
            process=process, where=where, before=before, before_poll=before_poll, after=after, after_poll=poll
        )
