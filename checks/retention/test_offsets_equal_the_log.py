"""Each offset that ListOffsets finds is the one that reading the whole log finds.

**Claim** Of a log of any batches, some compressed, with timestamps in any order and in several segments: ListOffsets
answers for a time with the first record that is not older, for the max timestamp with the first record that has it, and
for the earliest, the earliest local and the latest offset with the log's two ends; nothing is in remote storage. It is
so after a restart, after retention, and after DeleteRecords too. Records come back with the timestamps that they were
sent with, and with their bytes.

**Why it matters** "Replay since nine o'clock" must begin neither after ten nor at the beginning of the log.

**Kafka says** consumer API, `offsetsForTimes`; KIP-33, KIP-79 (times), KIP-734 (max timestamp), KIP-405 and KIP-1005
(local and tiered offsets).

**Cannot see** tiered storage; transactions. Which record is told for the max timestamp where that which has it was
deleted by DeleteRecords: Kafka tells it as long as its segment is there, and so does the reference.

**Rejects** tests/plants/list_offsets_wrong_by_one.py, tests/plants/finds_times_in_the_last_segment.py,
tests/plants/takes_the_last_of_the_largest_timestamps.py, tests/plants/changes_timestamps.py
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from harness.clients.leader_connections import LeaderConnections, RawAdmin
from harness.clients.operators.operator import Operator
from harness.comparing.request_forms import fetch, list_offsets
from harness.hosts import cluster_time as time
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.strike import Strike
from harness.targets.target import Cluster
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.compression import Compression
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.records import Record, encode_batch, iter_batches

pytestmark = [
    pytest.mark.feature("ListOffsets"),
    pytest.mark.claim("R9", "O7"),
    pytest.mark.kip(33, 79, 734, 405, 1005),
]
LATEST, EARLIEST, LARGEST, EARLIEST_LOCAL, LATEST_TIERED = -1, -2, -3, -4, -5
NOTHING = -1, -1
SPREAD_MS = 40
BATCHES = 24
SERVED_WITHIN_S = 10.0
CODECS = (Compression.NONE, Compression.NONE, Compression.GZIP, Compression.LZ4, Compression.ZSTD, Compression.SNAPPY)


@dataclass(slots=True)
class Client:
    """Raw requests to the leader of a topic's partition 0."""

    bootstrap: str
    topic: str

    def ask(self, api_key: ApiKey, version: int, request: Any) -> Any:
        """The leader's answer."""
        view = LeaderConnections(self.bootstrap, "brute-force")
        try:
            connection = view.leader(self.topic, 0)
            return connection.request(api_key, connection.highest(api_key, version), request)
        finally:
            view.forget()

    def append(self, records: list[Record], codec: Compression) -> None:
        """Appends a batch."""
        part = PartitionProduceData(index=0, records=memoryview(encode_batch(records, compression=codec)))
        topic = TopicProduceData(name=TopicName(self.topic), partition_data=(part,))
        request = ProduceRequest(acks=-1, timeout_ms=10_000, topic_data=(topic,))
        answer = self.ask(ApiKey.PRODUCE, 9, request).responses[0].partition_responses[0]
        require(ErrorCode(answer.error_code).name, "NONE", "the answer to a batch")

    def listed(self, timestamp: int) -> tuple[int, int]:
        """(offset, timestamp) that ListOffsets finds."""
        found = self.ask(ApiKey.LIST_OFFSETS, 9, list_offsets(self.topic, timestamp)).topics[0].partitions[0]
        require(ErrorCode(found.error_code).name, "NONE", f"the answer to the time {timestamp}")
        return int(found.offset), int(found.timestamp)

    def read(self) -> list[Record]:
        """Every record from the log's start to its end."""
        found: list[Record] = []
        at, end = self.listed(EARLIEST)[0], self.listed(LATEST)[0]
        while at < end:
            data = self.ask(ApiKey.FETCH, 12, fetch(self.topic, at)).responses[0].partitions[0]
            require(ErrorCode(data.error_code).name, "NONE", f"the answer to a Fetch from {at}")
            records = [one for batch in iter_batches(data.records or b"") for one in batch.records()]
            found += [one for one in records if one.offset >= at]
            at = found[-1].offset + 1
        return found


def filled(client: Client, chance: Random, start_ms: int) -> list[Record]:
    """Appends batches whose timestamps go up slowly and are not in order; all records, as they were sent."""
    sent: list[Record] = []
    for number in range(BATCHES):
        count = chance.randrange(1, 6)
        times = [start_ms + 5 * number + chance.randrange(SPREAD_MS) for _ in range(count)]
        values = [chance.randbytes(chance.randrange(30)) for _ in range(count)]
        batch = [
            Record(index, at, chance.choice((None, b"k")), value, (("h", bytes([number])),))
            for index, (at, value) in enumerate(zip(times, values, strict=True))
        ]
        client.append(batch, chance.choice(CODECS))
        sent += [one._replace(offset=len(sent) + index) for index, one in enumerate(batch)]
    newest_ms = max(one.timestamp for one in sent)
    twice = [Record(index, newest_ms, None, b"as late as another", ()) for index in range(2)]
    client.append(twice, Compression.NONE)
    return sent + [one._replace(offset=len(sent) + index) for index, one in enumerate(twice)]


def require_equal(client: Client, records: list[Record], end: int, when: str, *, later_than_ms: int = 0) -> None:
    """Each lookup, of times later than one, finds what is found by looking through all records that are left."""
    read = client.read()
    require([tuple(one) for one in read], [tuple(one) for one in records], f"all records {when}")
    start = records[0].offset if records else end
    ends = {one: client.listed(one)[0] for one in (EARLIEST, LATEST, EARLIEST_LOCAL, LATEST_TIERED)}
    wanted = {EARLIEST: start, LATEST: end, EARLIEST_LOCAL: start, LATEST_TIERED: -1}
    require(ends, wanted, f"the offsets of the special timestamps {when}")
    near = {one.timestamp + apart for one in records for apart in (-1, 0, 1)}
    times = sorted(at for at in near if at > later_than_ms)
    found = {at: client.listed(at) for at in times}
    brute = {at: first_at(records, at) for at in times}
    require(found, brute, f"(offset, timestamp) by time {when}")


def first_at(records: list[Record], timestamp: int) -> tuple[int, int]:
    """(offset, timestamp) of the first record that is not older than a time."""
    return next(((one.offset, one.timestamp) for one in records if one.timestamp >= timestamp), NOTHING)


def largest(records: list[Record]) -> tuple[int, int]:
    """(offset, timestamp) of the first record with the largest timestamp."""
    newest = max((one.timestamp for one in records), default=-1)
    return first_at(records, newest) if records else NOTHING


def await_start(admin: RawAdmin, topic: str, is_so: Any) -> int:
    """Waits until the log's start is so; the start."""
    deadline = time.monotonic() + SERVED_WITHIN_S
    while not is_so(admin.offsets(topic, 0)[0]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return admin.offsets(topic, 0)[0]


@pytest.mark.parametrize("segment_ms", [10, 60, 604_800_000], ids=["many-segments", "some-segments", "one-segment"])
def test_lookups_equal_brute_force(
    cluster: Cluster,
    admin: RawAdmin,
    operator: Operator,
    names: Names,
    strike: Strike,
    chance: Random,
    segment_ms: int,
) -> None:
    topic = names.topic("readings")
    operator.create_topic(topic, config={"retention.ms": "-1", "segment.ms": f"{segment_ms}"})
    client = Client(cluster.bootstrap, topic)
    records = filled(client, chance, int(time.time() * 1000) - 60_000)
    end = len(records)

    require_equal(client, records, end, "at first")
    require(client.listed(LARGEST), largest(records), "(offset, timestamp) of the max timestamp at first")
    strike("restart", topic=topic)
    admin.offsets(topic, 0)  # after a start Kafka serves a partition a moment later than it answers
    require_equal(client, records, end, "after a restart")
    require(client.listed(LARGEST), largest(records), "(offset, timestamp) of the max timestamp after a restart")


def test_lookups_equal_brute_force_after_retention(
    cluster: Cluster, admin: RawAdmin, operator: Operator, names: Names, chance: Random
) -> None:
    """The first half of the records is an hour older; retention deletes it."""
    topic = names.topic("readings")
    operator.create_topic(topic, config={"retention.ms": "-1", "segment.ms": "60"})
    client = Client(cluster.bootstrap, topic)
    now_ms = int(time.time() * 1000)
    old = filled(client, chance, now_ms - 3_600_000)
    new = [one._replace(offset=one.offset + len(old)) for one in filled(client, chance, now_ms)]
    end = len(old) + len(new)

    operator.alter_topic(topic, {"retention.ms": "1800000"})
    require(
        await_start(admin, topic, lambda start: start >= len(old)), len(old), "the start of the log after retention"
    )
    require_equal(client, new, end, "after retention")
    require(client.listed(LARGEST), largest(new), "(offset, timestamp) of the max timestamp after retention")


def test_lookups_equal_brute_force_after_a_deletion(
    cluster: Cluster, operator: Operator, names: Names, chance: Random
) -> None:
    """By times that are later than all deleted records; the next is about the others."""
    topic = names.topic("readings")
    operator.create_topic(topic, config={"retention.ms": "-1", "segment.ms": "60"})
    client = Client(cluster.bootstrap, topic)
    records = filled(client, chance, int(time.time() * 1000) - 60_000)
    before = chance.randrange(len(records) // 3, len(records) // 2)
    require(operator.delete_records(topic, 0, before=before), before, "the low watermark")

    newest_ms = max(one.timestamp for one in records[:before])
    require_equal(client, records[before:], len(records), "after a deletion", later_than_ms=newest_ms)


def test_a_time_is_found_behind_a_segment_that_was_deleted_in_part(
    cluster: Cluster, operator: Operator, names: Names
) -> None:
    """The first segment's newest record was deleted, and the second segment has one that is new enough."""
    topic = names.topic("readings")
    operator.create_topic(topic, config={"retention.ms": "-1", "segment.ms": "20"})
    client = Client(cluster.bootstrap, topic)
    at_ms = int(time.time() * 1000)
    client.append([Record(0, at_ms + 10, None, b"deleted"), Record(1, at_ms, None, b"kept")], Compression.NONE)
    client.append([Record(0, at_ms + 100, None, b"kept, in the next segment")], Compression.NONE)
    operator.delete_records(topic, 0, before=1)

    require(client.listed(at_ms + 5), (2, at_ms + 100), "(offset, timestamp) of the first record that is new enough")
