"""The position of each consumer in each partition: steps back, steps over gaps in the offsets, and start offsets.

Within one assignment, manual or by its group, a consumer must read record after record. Between two assignments nothing
is promised, except the offset at which it starts again.
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
    """A process read offset `before`, then `after`, which is not the next one. Polls are indexes of operations."""

    process: str
    where: int
    before: int
    before_poll: int
    after: int
    after_poll: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The first record that a process read in a partition after an assignment or a seek."""

    process: str
    where: int
    allowed: frozenset[int]
    """Offsets at which it may start; EARLIEST for the log start offset."""
    began: int
    """Index of the operation that assigned the partition, or of the seek."""
    offset: int
    poll: int
    group: str


@dataclass(slots=True)
class _Mark:
    """The position of a process in a partition since its last assignment or seek."""

    allowed: frozenset[int] | None
    """Offsets at which it may start; None if unknown."""
    began: int
    last: int | None = None
    """The last offset read; None for none."""
    poll: int = -1
    is_settled: bool = False
    """Whether a poll both began and ended since then. A poll during which partitions were assigned may still return
    records that were fetched before."""


@dataclass(slots=True)
class _Consumer:
    group: str = ""
    marks: dict[int, _Mark] = field(default_factory=dict)


@dataclass(slots=True)
class Consumers:
    """The consumers of a history, and their deviations from the order of offsets."""

    backs: Found[Step] = field(default_factory=Found)
    holes: dict[tuple[int, int, int], Step] = field(default_factory=dict)
    """(partition, offset before, offset after) → last step over this gap."""
    starts: Found[Start] = field(default_factory=Found)
    """Starts that were not exactly at an allowed offset, nor at offset 0 if EARLIEST is allowed."""
    started: int = 0
    """Number of starts examined."""
    steps: int = 0
    """Number of pairs of consecutive records of one process that were examined."""
    groups: dict[str, list[str]] = field(default_factory=dict)
    """Group → processes that have subscribed."""
    seeks: int = 0
    """Number of seeks."""
    assignments: int = 0
    """Number of assignments by groups."""
    _consumers: dict[str, _Consumer] = field(default_factory=dict)
    _registers: dict[tuple[str, int], CommitRegister] = field(default_factory=dict)

    def register(self, group: str, where: int) -> CommitRegister:
        """The committed offset of a group for a partition."""
        return self._registers.setdefault((group, where), CommitRegister())

    def group_of(self, process: str) -> str:
        """The group of a process; empty for none."""
        consumer = self._consumers.get(process)
        return consumer.group if consumer else ""

    def next_offset(self, process: str, where: int) -> int | None:
        """The offset after the last one that a process read since its assignment or seek; None for none."""
        consumer = self._consumers.get(process)
        mark = consumer.marks.get(where) if consumer else None
        return None if mark is None or mark.last is None else mark.last + 1

    def standing(self, process: str) -> list[tuple[int, int]]:
        """(partition, next offset) for each partition that a process reads; 0 before its first record."""
        consumer = self._consumers.get(process)
        marks = consumer.marks.items() if consumer else ()
        return [(where, 0 if mark.last is None else mark.last + 1) for where, mark in marks]

    def assign(self, operation: Operation, value: Assign, wheres: list[int]) -> None:
        """A manual assignment, which replaces all earlier ones of the process."""
        consumer = self._consumers[operation.process] = _Consumer()
        for where, (_, _, offset) in zip(wheres, value.partitions, strict=True):
            consumer.marks[where] = _Mark(frozenset((offset,)), operation.index)

    def seek(self, operation: Operation, value: Seek, where: int) -> None:
        """A seek: the process continues from another offset."""
        self.seeks += 1
        consumer = self._consumers.setdefault(operation.process, _Consumer())
        consumer.marks[where] = _Mark(frozenset((value.offset,)), operation.index)

    def subscribe(self, operation: Operation, value: Subscribe) -> None:
        """A subscription: the process starts a new client in a group."""
        self._consumers[operation.process] = _Consumer(value.group)
        members = self.groups.setdefault(value.group, [])
        if operation.process not in members:
            members.append(operation.process)

    def change(self, operation: Operation, value: Assigned | Revoked | Lost, wheres: list[int]) -> None:
        """A group assigned partitions to the process, or revoked them."""
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
        """The offsets that a poll returned for a partition. `invoked` is the index of the poll's invoke."""
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
        """Whether a process that was assigned a partition during its last poll may start at an offset."""
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
