"""A consumer: follows the partitions while they are written, by itself or as a member of a group."""

from __future__ import annotations

from collections.abc import Mapping

from harness.clients.client import ClientTrouble
from harness.clients.stepped.library import SteppedConsumer
from harness.history.operations import (
    EARLIEST,
    Assign,
    Assigned,
    AssignmentChange,
    Commit,
    OpType,
    Seek,
    Subscribe,
)
from harness.runs.context import RunContext
from harness.runs.polling import poll
from harness.workloads.queue import rejoin_times, seek_times


class ConsumerRole:
    """One consumer; after trouble a fresh client reads from the start, or from its group's offset."""

    def __init__(self, context: RunContext, number: int) -> None:
        self.name = f"consumer {number}"
        self._context = context
        self._group = context.queue.group_of(number)
        self._chance = context.chance(self.name)
        self._owned: frozenset[tuple[str, int]] = frozenset()
        self._seen: dict[tuple[str, int], tuple[int, int]] = {}
        """Partition → (the first offset that the present client has read, the one after the last)."""

    @property
    def reader(self) -> str:
        """Under what name it counts how far it has come: its group's, or its own."""
        return self._group or self.name

    async def work(self) -> None:
        """Until consuming ends."""
        context = self._context
        rejoins, seeks = rejoin_times(context.queue, self._chance), seek_times(context.queue, self._chance)
        rejoin_s, seek_s = next(rejoins, None), next(seeks, None)
        began_ns = context.executor.now_ns()

        def is_time(at_s: float | None) -> bool:
            return at_s is not None and (context.executor.now_ns() - began_ns) / 1e9 > at_s

        while not context.consuming_ends.is_set():
            try:
                consumer = await self._open()
            except (ClientTrouble, OSError) as trouble:
                await self._note(trouble)
                continue
            try:
                while not context.consuming_ends.is_set():
                    if is_time(rejoin_s):
                        rejoin_s = next(rejoins, None)
                        break
                    if is_time(seek_s) and not context.producing_ends.is_set():
                        seek_s = next(seeks, None)
                        await self._go_back(consumer)
                    await self._turn(consumer)
            except (ClientTrouble, OSError) as trouble:
                await self._note(trouble)
            finally:
                await consumer.close()

    async def _note(self, trouble: Exception) -> None:
        self._context.writer.append(self.name, OpType.INFO, "poll", error=f"{trouble}")
        await self._context.consuming_ends.wait(self._context.waits.poll_s)

    async def _open(self) -> SteppedConsumer:
        context, queue, writer = self._context, self._context.queue, self._context.writer
        client_id = f"{queue.topic}-{self.name.replace(' ', '-')}"
        self._seen = {}
        consumer = context.consumer(client_id, self._group)
        if self._group is None:
            partitions = [(queue.topic, partition) for partition in range(queue.partitions)]
            value = Assign(tuple((*where, EARLIEST) for where in partitions))
            invoked = writer.append(self.name, OpType.INVOKE, "assign", value)
            await consumer.assign(partitions)
            writer.append(self.name, OpType.OK, "assign", of=invoked)
        else:
            self._owned = frozenset()
            invoked = writer.append(self.name, OpType.INVOKE, "subscribe", Subscribe(self._group, (queue.topic,)))
            await consumer.subscribe([queue.topic], self._change)
            writer.append(self.name, OpType.OK, "subscribe", of=invoked)
        return consumer

    async def _go_back(self, consumer: SteppedConsumer) -> None:
        """Reads a partition again from an offset that it has read; nothing happens before it has read any."""
        if not self._seen:
            return
        writer = self._context.writer
        topic, partition = where = self._chance.choice(sorted(self._seen))
        offset = self._chance.randrange(*self._seen[where])
        invoked = writer.append(self.name, OpType.INVOKE, "seek", Seek(topic, partition, offset))
        try:
            await consumer.seek(topic, partition, offset)
        except (ClientTrouble, OSError) as trouble:
            writer.append(self.name, OpType.INFO, "seek", error=f"{trouble}", of=invoked)
            raise
        writer.append(self.name, OpType.OK, "seek", of=invoked)

    def _change(self, change: AssignmentChange) -> None:
        """The group gave partitions, or took them; told by any thread."""
        changed = frozenset(change.partitions)
        self._owned = self._owned | changed if isinstance(change, Assigned) else self._owned - changed
        self._context.writer.append(self.name, OpType.OK, type(change).__name__.lower(), change)

    async def _turn(self, consumer: SteppedConsumer) -> None:
        """A poll, and the commit of what it returned."""
        context = self._context
        reached = await poll(context, consumer, self.name, "poll")
        for where, (next_offset, records) in reached.items():
            context.count_read(self.reader, where[1], next_offset, records)
            first, end = self._seen.get(where, (next_offset - records, next_offset))
            self._seen[where] = (max(0, min(first, next_offset - records)), max(end, next_offset))
        if context.queue.client.commit == "sync" and self._group is not None:
            owned = {where: next_offset for where, (next_offset, _) in reached.items() if where in self._owned}
            if owned:
                await self._commit(consumer, owned)

    async def _commit(self, consumer: SteppedConsumer, offsets: Mapping[tuple[str, int], int]) -> None:
        """A commit that fails is noted, and no more: the next one covers it."""
        writer = self._context.writer
        value = Commit(self._group or "", tuple((*where, offset) for where, offset in offsets.items()))
        invoked = writer.append(self.name, OpType.INVOKE, "commit", value)
        try:
            await consumer.commit(offsets)
        except (ClientTrouble, OSError) as trouble:
            writer.append(self.name, OpType.INFO, "commit", error=f"{trouble}", of=invoked)
            return
        writer.append(self.name, OpType.OK, "commit", of=invoked)
