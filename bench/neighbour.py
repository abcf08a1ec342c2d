"""A client beside the fuzz that must not notice it: one connection, records in order, answers in time."""

from __future__ import annotations

import threading
import time

from harness.clients.connection import RawConnection
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.primitives import MalformedRequest, TopicName
from reference_broker.wire.records import Record, encode_batch, iter_batches

TOPIC = TopicName("neighbour")
_EVERY_S = 0.05
_PRODUCE_VERSION = 9
_FETCH_VERSION = 12
"""The last that name a topic by its name."""


class Neighbour:
    """Sends numbered records one by one and reads each back; `trouble` says what it noticed."""

    def __init__(self, bootstrap: str, limit_s: float) -> None:
        self.trouble: str | None = None
        self.records = 0
        self.slowest_s = 0.0
        self._limit_s = limit_s
        self._connection = RawConnection.to(bootstrap, client_id="neighbour", timeout_s=limit_s)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="neighbour", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends its work."""
        self._stop.set()
        self._thread.join(2 * self._limit_s)
        self._connection.close()

    def _work(self) -> None:
        while self.trouble is None and not self._stop.wait(_EVERY_S):
            begin = time.monotonic()
            try:
                self.trouble = self._round()
            except (OSError, MalformedRequest) as trouble:
                self.trouble = f"record {self.records}: {trouble!r}"
            took = time.monotonic() - begin
            self.slowest_s = max(self.slowest_s, took)
            if self.trouble is None and took > self._limit_s:
                self.trouble = f"record {self.records} took {took:.1f} s to send and read back"
            self.records += 1

    def _round(self) -> str | None:
        """One record out and back; what is wrong, or None."""
        value = b"%d" % self.records
        rows = PartitionProduceData(index=0, records=encode_batch([Record(0, time.time_ns() // 10**6, None, value)]))
        sent = ProduceRequest(
            acks=-1, timeout_ms=10_000, topic_data=(TopicProduceData(name=TOPIC, partition_data=(rows,)),)
        )
        answer = self._connection.request(ApiKey.PRODUCE, _PRODUCE_VERSION, sent).responses[0].partition_responses[0]
        if (answer.error_code, answer.base_offset) != (0, self.records):
            return f"record {self.records}: error {answer.error_code}, offset {answer.base_offset}"
        wanted = FetchPartition(partition=0, fetch_offset=self.records, partition_max_bytes=1 << 20)
        asked = FetchRequest(max_wait_ms=1000, min_bytes=1, topics=(FetchTopic(topic=TOPIC, partitions=(wanted,)),))
        found = self._connection.request(ApiKey.FETCH, _FETCH_VERSION, asked).responses[0].partitions[0]
        read = [(row.offset, row.value) for batch in iter_batches(found.records or b"") for row in batch.records()]
        return None if read == [(self.records, value)] else f"record {self.records} was read back as {read}"
