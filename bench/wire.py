"""The codec's cost on the hot path: a Produce request of 64 KiB, and the check of a batch of 150 records."""

from __future__ import annotations

import statistics
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from bench.table import Row, Table, at_most
from reference_broker.wire.codec import decode, encode
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.primitives import TopicName, Uuid
from reference_broker.wire.record_scan import scan_records
from reference_broker.wire.records import HEADER_SIZE, Record, encode_batch

VERSION = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class SlottedRow:
    """What messages could be instead: a frozen dataclass."""

    index: int = 0
    records: Any = None
    unknown_tagged_fields: tuple[tuple[int, bytes], ...] = ()


class StructRow(msgspec.Struct, frozen=True, kw_only=True):
    """What messages are: a frozen msgspec struct."""

    index: int = 0
    records: Any = None
    unknown_tagged_fields: tuple[tuple[int, bytes], ...] = ()


def microseconds(call: Callable[[], Any], number: int = 20_000) -> float:
    """Median of seven repetitions, per call."""
    return statistics.median(timeit.repeat(call, number=number, repeat=7)) / number * 1e6


def produce_of_64_kib() -> ProduceRequest:
    """One topic, one partition, one batch, as a producer with batch.size=65536 sends it."""
    batch = encode_batch([Record(0, 1_700_000_000_000, None, bytes(65_536 - HEADER_SIZE))])
    row = PartitionProduceData(index=0, records=batch)
    topic = TopicProduceData(name=TopicName("orders"), topic_id=Uuid(bytes(15) + b"\1"), partition_data=(row,))
    return ProduceRequest(acks=-1, timeout_ms=30_000, topic_data=(topic,))


def measure(table: Table) -> None:
    """Add the codec's rows to a table."""
    table.heading("Wire")
    request = produce_of_64_kib()
    frame = b"".join(encode(request, VERSION))  # type: ignore[arg-type]
    table.add(
        Row(
            name="decode a Produce of 64 KiB",
            unit="µs",
            reference=microseconds(lambda: decode(ProduceRequest, VERSION, frame)),
            goal=at_most(5),
        )
    )
    table.add(
        Row(
            name="encode a Produce of 64 KiB",
            unit="µs",
            reference=microseconds(lambda: encode(request, VERSION)),
            goal=at_most(3),
        )
    )
    rows = [Record(i, 1_700_000_000_000 + i, b"key-%d" % i, bytes(400)) for i in range(150)]
    payload = encode_batch(rows)[HEADER_SIZE:]
    table.add(
        Row(
            name="check the structure of 150 records",
            unit="µs",
            reference=microseconds(lambda: scan_records(payload, 150), 1000),
            goal=at_most(100),
        )
    )
    for name, cls in (("msgspec struct", StructRow), ("slotted dataclass", SlottedRow)):
        make: Callable[[], Any] = partial(cls, index=1, records=payload)
        table.add(Row(name=f"make one row: {name}", unit="µs", reference=microseconds(make)))
