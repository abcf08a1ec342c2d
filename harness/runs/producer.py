"""A producer: sends what the workload says when it is due, and notes the end of each send."""

from __future__ import annotations

from harness.clients.client import Delivery, Producer
from harness.history.operations import Acknowledged, OpType, ProducerIdentity, Retries
from harness.runs.context import RunContext
from harness.runs.executor import Window
from harness.workloads.queue import Message, due_sends

_IN_FLIGHT = 2_000
"""Sends without an end that a producer has at most."""
_NONE = ProducerIdentity(-1, -1)


class ProducerRole:
    """One producer."""

    def __init__(self, context: RunContext, number: int) -> None:
        self.name = f"producer {number}"
        self._number = number
        self._context = context
        self._identity: ProducerIdentity = _NONE

    def work(self) -> None:
        """Until producing ends."""
        context, executor = self._context, self._context.executor
        client_id = f"{context.queue.topic}-{self.name.replace(' ', '-')}"
        producer = context.library.producer(context.cluster.bootstrap, context.queue.client, client_id)
        window = executor.window(_IN_FLIGHT)
        began_ns = executor.now_ns()
        try:
            for due in due_sends(context.queue, self._number, context.chance(self.name), executor.wall_ms()):
                wait_s = due.at_s - (executor.now_ns() - began_ns) / 1e9
                if context.producing_ends.wait(max(0.0, wait_s)):
                    break
                if not window.acquire(timeout=context.waits.place_s):
                    context.trouble(f"{self.name}: none of {_IN_FLIGHT:,} sends ended in {context.waits.place_s:.0f} s")
                    break
                self._send(producer, due.message, window)
            producer.flush(context.waits.flush_s)
            retries = producer.retries()
            if retries is not None:
                context.writer.append(self.name, OpType.OK, "retries", Retries(retries))
        finally:
            producer.close()

    def _send(self, producer: Producer, message: Message, window: Window) -> None:
        context, send = self._context, message.send
        self._note_identity(producer)
        invoked = context.writer.append(self.name, OpType.INVOKE, "send", send)
        context.count_sent()

        def on_delivery(delivery: Delivery) -> None:
            window.release()
            self._note_identity(producer)
            is_ok = delivery.outcome is OpType.OK
            value = Acknowledged(delivery.partition, delivery.offset, delivery.timestamp) if is_ok else None
            context.writer.append(self.name, delivery.outcome, "send", value, error=delivery.error, of=invoked)
            if is_ok:
                context.count_acknowledged(delivery.partition, delivery.offset)

        producer.send(
            send.topic,
            send.partition,
            key=None if send.key is None else send.key.encode(),
            value=message.value,
            headers=[(name, text.encode()) for name, text in send.headers],
            timestamp=send.timestamp,
            on_delivery=lambda delivery: context.guarded(lambda: on_delivery(delivery))(),  # in a client's own thread
        )

    def _note_identity(self, producer: Producer) -> None:
        """Writes down a producer id that is new."""
        identity = producer.identity() or _NONE
        if identity != self._identity:
            self._identity = identity
            self._context.writer.append(self.name, OpType.OK, "producer_id", identity)
