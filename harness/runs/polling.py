"""Polls a client once and records it in the history."""

from __future__ import annotations

from crc32c import crc32c

from harness.clients.client import ClientTrouble, Consumed
from harness.clients.stepped.library import SteppedConsumer
from harness.history.operations import OpType, PartitionRecords, Polled, Record
from harness.runs.context import RunContext
from harness.workloads.queue import name_of

Reached = dict[tuple[str, int], tuple[int, int]]
"""Partition → (the offset after the last record that a poll returned, how many it returned)."""


async def poll(context: RunContext, consumer: SteppedConsumer, process: str, f: str) -> Reached:
    """Polls once. ClientTrouble, or an OSError, when the client says that it failed."""
    writer = context.writer
    invoked = writer.append(process, OpType.INVOKE, f)
    try:
        found = await consumer.poll(context.waits.poll_s)
    except (ClientTrouble, OSError) as trouble:
        writer.append(process, OpType.INFO, f, error=f"{trouble}", of=invoked)
        raise
    parts: dict[tuple[str, int], list[Record]] = {}
    for record in found:
        parts.setdefault((record.topic, record.partition), []).append(as_record(record))
    value = Polled(tuple(PartitionRecords(*where, tuple(records)) for where, records in parts.items()))
    writer.append(process, OpType.OK, f, value, of=invoked)
    return {where: (records[-1].offset + 1, len(records)) for where, records in parts.items()}


def as_record(record: Consumed) -> Record:
    """A consumed record as histories hold it; bytes that are no text are escaped, and a header's null is named."""
    return Record(
        record.offset,
        name_of(record.value),
        None if record.key is None else record.key.decode("utf-8", "backslashreplace"),
        tuple(
            (name, "(null)" if value is None else value.decode("utf-8", "backslashreplace"))
            for name, value in record.headers
        ),
        record.timestamp,
        crc32c(record.value or b""),
        record.leader_epoch,
    )
