"""A producer: sends what the workload says when it is due, and notes the end of each send.

A client that met a fatal error sends nothing any more. Its process then ends, as one of Jepsen's does that crashed, and
the producer goes on as another process with a new client: what is promised of the order within one producer ends there.
"""

from __future__ import annotations

from harness.clients.client import ClientTrouble, Delivery
from harness.history.operations import Acknowledged, OpType, ProducerIdentity, Retries
from harness.history.processes import process_name
from harness.runs.context import RunContext
from harness.workloads.queue import Message, due_sends

_IN_FLIGHT = 2_000
"""The most sends that a producer has in flight."""
_NONE = ProducerIdentity(-1, -1)


class ProducerRole:
    """One producer; after a fatal error of its client a fresh one goes on."""

    def __init__(self, context: RunContext, number: int) -> None:
        self.name = f"producer {number}"
        self._number = number
        self._context = context
        self._clients = 0

    async def work(self) -> None:
        """Until producing ends."""
        context, executor = self._context, self._context.executor
        client: _Client | None = self._open()
        began_ns = executor.now_ns()
        try:
            for due in due_sends(context.queue, self._number, context.chance(self.name), executor.wall_ms()):
                wait_s = due.at_s - (executor.now_ns() - began_ns) / 1e9
                if await context.producing_ends.wait(max(0.0, wait_s)):
                    break
                if client is not None and client.is_broken():
                    retired, client = client, None
                    await retired.retire()
                    client = await self._reopen()
                if client is None or not await client.send(due.message):
                    break
            if client is not None:
                await client.finish()
        finally:
            if client is not None:
                await client.close()

    def _open(self) -> _Client:
        """A new client, in a process of its own. ClientTrouble, or an OSError, when it cannot be made."""
        self._clients += 1
        return _Client(self._context, process_name(self.name, self._clients))

    async def _reopen(self) -> _Client | None:
        """Another client; None when producing ends before one can be made."""
        context = self._context
        while not context.producing_ends.is_set():
            try:
                return self._open()
            except (ClientTrouble, OSError) as trouble:
                process = process_name(self.name, self._clients)
                context.writer.append(process, OpType.INFO, "open", error=f"{trouble}")
                await context.producing_ends.wait(context.waits.poll_s)
        return None


class _Client:
    """A client of the library under test, and the process that the history knows it by."""

    def __init__(self, context: RunContext, process: str) -> None:
        self.process = process
        self._context = context
        client_id = f"{context.queue.topic}-{process.replace(' ', '-')}"
        self._producer = context.producer(client_id)
        self._window = context.executor.window(_IN_FLIGHT)
        self._identity = _NONE

    def is_broken(self) -> bool:
        """Whether it will send nothing any more."""
        return self._producer.is_broken()

    async def send(self, message: Message) -> bool:
        """Sends a message once there is a place for it; false, and a trouble of the run, where none becomes free."""
        context, send = self._context, message.send
        if not await self._window.acquire(timeout=context.waits.place_s):
            context.trouble(f"{self.process}: none of {_IN_FLIGHT:,} sends ended in {context.waits.place_s:.0f} s")
            return False
        self._note_identity()
        invoked = context.writer.append(self.process, OpType.INVOKE, "send", send)
        context.count_sent()

        def on_delivery(delivery: Delivery) -> None:
            self._window.release()
            self._note_identity()
            is_ok = delivery.outcome is OpType.OK
            value = Acknowledged(delivery.partition, delivery.offset, delivery.timestamp) if is_ok else None
            context.writer.append(self.process, delivery.outcome, "send", value, error=delivery.error, of=invoked)
            if is_ok:
                context.count_acknowledged(delivery.partition, delivery.offset)

        self._producer.send(
            send.topic,
            send.partition,
            key=None if send.key is None else send.key.encode(),
            value=message.value,
            headers=[(name, text.encode()) for name, text in send.headers],
            timestamp=send.timestamp,
            on_delivery=context.watched(on_delivery),  # called in a client's own thread
        )
        return True

    async def finish(self) -> None:
        """Waits for the ends of its sends, and notes how many records it sent again."""
        await self._producer.flush(self._context.waits.flush_s)
        retries = self._producer.retries()
        if retries is not None:
            self._context.writer.append(self.process, OpType.OK, "retries", Retries(retries))

    async def retire(self) -> None:
        """Ends it after a fatal error."""
        try:
            await self.finish()
        finally:
            await self.close()
        self._context.writer.append(self.process, OpType.OK, "retired", "the client met a fatal error")

    async def close(self) -> None:
        """Gives everything back."""
        await self._producer.close()

    def _note_identity(self) -> None:
        """Writes down a producer id that is new."""
        identity = self._producer.identity() or _NONE
        if identity != self._identity:
            self._identity = identity
            self._context.writer.append(self.process, OpType.OK, "producer_id", identity)
