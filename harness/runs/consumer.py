"""A consumer: follows the partitions while they are written, by itself or as a member of a group."""

from __future__ import annotations

from collections.abc import Mapping

from harness.clients.client import ClientTrouble, Consumer
from harness.history.operations import (
    EARLIEST,
    Assign,
    Assigned,
    AssignmentChange,
    Commit,
    OpType,
    Subscribe,
)
from harness.runs.context import RunContext
from harness.runs.polling import poll
from harness.workloads.queue import rejoin_times


class ConsumerRole:
    """One consumer; after trouble a fresh client reads from the start, or from its group's offset."""

    def __init__(self, context: RunContext, number: int) -> None:
        self.name = f"consumer {number}"
        self._context = context
        self._group = context.queue.group_of(number)
        self._owned: frozenset[tuple[str, int]] = frozenset()

    @property
    def reader(self) -> str:
        """Under what name it counts how far it has come: its group's, or its own."""
        return self._group or self.name

    def work(self) -> None:
        """Until consuming ends."""
        context = self._context
        rejoins = rejoin_times(context.queue, context.chance(self.name))
        rejoin_s = next(rejoins, None)
        began_ns = context.executor.now_ns()
        while not context.consuming_ends.is_set():
            try:
                consumer = self._open()
            except (ClientTrouble, OSError) as trouble:
                self._note(trouble)
                continue
            try:
                while not context.consuming_ends.is_set():
                    if rejoin_s is not None and (context.executor.now_ns() - began_ns) / 1e9 > rejoin_s:
                        rejoin_s = next(rejoins, None)
                        break
                    self._turn(consumer)
            except (ClientTrouble, OSError) as trouble:
                self._note(trouble)
            finally:
                consumer.close()

    def _note(self, trouble: Exception) -> None:
        self._context.writer.append(self.name, OpType.INFO, "poll", error=f"{trouble}")
        self._context.consuming_ends.wait(self._context.waits.poll_s)

    def _open(self) -> Consumer:
        context, queue, writer = self._context, self._context.queue, self._context.writer
        client_id = f"{queue.topic}-{self.name.replace(' ', '-')}"
        consumer = context.library.consumer(context.cluster.bootstrap, queue.client, client_id, self._group)
        if self._group is None:
            partitions = [(queue.topic, partition) for partition in range(queue.partitions)]
            value = Assign(tuple((*where, EARLIEST) for where in partitions))
            invoked = writer.append(self.name, OpType.INVOKE, "assign", value)
            consumer.assign(partitions)
            writer.append(self.name, OpType.OK, "assign", of=invoked)
        else:
            self._owned = frozenset()
            invoked = writer.append(self.name, OpType.INVOKE, "subscribe", Subscribe(self._group, (queue.topic,)))
            consumer.subscribe([queue.topic], self._change)
            writer.append(self.name, OpType.OK, "subscribe", of=invoked)
        return consumer

    def _change(self, change: AssignmentChange) -> None:
        """The group gave partitions, or took them; told by any thread."""
        changed = frozenset(change.partitions)
        self._owned = self._owned | changed if isinstance(change, Assigned) else self._owned - changed
        self._context.writer.append(self.name, OpType.OK, type(change).__name__.lower(), change)

    def _turn(self, consumer: Consumer) -> None:
        """A poll, and the commit of what it returned."""
        context = self._context
        reached = poll(context, consumer, self.name, "poll")
        for (_, partition), (next_offset, records) in reached.items():
            context.count_read(self.reader, partition, next_offset, records)
        if context.queue.client.commit == "sync" and self._group is not None:
            owned = {where: next_offset for where, (next_offset, _) in reached.items() if where in self._owned}
            if owned:
                self._commit(consumer, owned)

    def _commit(self, consumer: Consumer, offsets: Mapping[tuple[str, int], int]) -> None:
        """A commit that fails is noted, and no more: the next one covers it."""
        writer = self._context.writer
        value = Commit(self._group or "", tuple((*where, offset) for where, offset in offsets.items()))
        invoked = writer.append(self.name, OpType.INVOKE, "commit", value)
        try:
            consumer.commit(offsets)
        except (ClientTrouble, OSError) as trouble:
            writer.append(self.name, OpType.INFO, "commit", error=f"{trouble}", of=invoked)
            return
        writer.append(self.name, OpType.OK, "commit", of=invoked)
