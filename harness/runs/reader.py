"""The final read: each partition from its start to a fixed end, by fresh clients, when all is quiet."""

from __future__ import annotations

from harness.clients.client import ClientTrouble
from harness.clients.stepped.leaders import Leaders
from harness.clients.stepped.library import SteppedConsumer
from harness.history.operations import EARLIEST, Assign, FinalEnd, OpType
from harness.runs.context import RunContext
from harness.runs.polling import poll


class ReaderRole:
    """Reads all partitions, one after the other."""

    def __init__(self, context: RunContext) -> None:
        self._context = context

    async def work(self) -> None:
        """Until all ends are reached, or the time for it is over."""
        context = self._context
        ends = [await self._bounds(partition) for partition in range(context.queue.partitions)]
        records = sum(end - start for start, end in ends)
        deadline_ns = context.executor.now_ns() + int(context.waits.final_read_s(records) * 1e9)
        for partition, (start, end) in enumerate(ends):
            await self._read(partition, start, end, deadline_ns)

    async def _bounds(self, partition: int) -> tuple[int, int]:
        """(log start offset, high watermark).

        A high watermark below what was acknowledged is given time to rise: a new leader learns it from its followers.
        """
        context = self._context
        wanted = context.acknowledged_ends.get(partition, 0)
        deadline_ns = context.executor.now_ns() + int(context.waits.delivery_s * 1e9)
        leaders = Leaders(context.executor, context.cluster.bootstrap, "admin")
        try:
            while True:
                start, end = await leaders.offsets(context.queue.topic, partition)
                if end >= wanted or context.executor.now_ns() > deadline_ns:
                    return start, end
                await context.executor.pause(context.waits.poll_s)
        finally:
            leaders.forget()

    async def _read(self, partition: int, start: int, end: int, deadline_ns: int) -> None:
        """Reads one partition; starts again, with a new client, after trouble."""
        context, process, topic = self._context, f"final {partition}", self._context.queue.topic
        reached = start
        while reached < end and context.executor.now_ns() < deadline_ns:
            try:
                consumer = context.consumer(f"{topic}-final-{partition}", None)
            except (ClientTrouble, OSError) as trouble:
                context.writer.append(process, OpType.INFO, "final_read", error=f"{trouble}")
                await context.executor.pause(context.waits.poll_s)
                continue
            reached = start
            try:
                invoked = context.writer.append(
                    process, OpType.INVOKE, "assign", Assign(((topic, partition, EARLIEST),))
                )
                await consumer.assign([(topic, partition)])
                context.writer.append(process, OpType.OK, "assign", of=invoked)
                while reached < end and context.executor.now_ns() < deadline_ns:
                    found = (await poll(context, consumer, process, "final_read")).get((topic, partition))
                    if found:
                        reached = max(reached, found[0])
                    else:
                        reached = await self._position(consumer, partition, reached, end)
            except (ClientTrouble, OSError):
                await context.executor.pause(context.waits.poll_s)
            finally:
                await consumer.close()
        context.writer.append(
            process, OpType.OK, "final_end", FinalEnd(topic, partition, start, end, min(reached, end))
        )

    async def _position(self, consumer: SteppedConsumer, partition: int, reached: int, end: int) -> int:
        """Where an empty poll leaves the reader: the last offsets of a log may hold markers that no client shows."""
        position = await consumer.position(self._context.queue.topic, partition)
        return position if reached < position <= end else reached
