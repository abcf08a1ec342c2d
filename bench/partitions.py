"""Many partitions on one broker: creating them, coming back after kill -9, what they cost, and who waits meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from bench.process import resident_mb
from bench.startup import seconds_to_first_answer
from bench.subjects import Subject, Subjects
from bench.table import Row, Table
from harness.clients.connection import RawConnection
from harness.hosts.host import HostTrouble
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from reference_broker.wire.messages.create_partitions_request import CreatePartitionsRequest, CreatePartitionsTopic
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest
from reference_broker.wire.messages.list_offsets_request import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from reference_broker.wire.primitives import TopicName

LONGEST_S: Final = 300.0
CREATED_AT_ONCE: Final = 5_000
ASKED_AT_ONCE: Final = 100
PING_EVERY_S: Final = 0.01
LATEST: Final = -1
_TIMEOUT_MS: Final = 300_000


def measure(table: Table, subjects: Subjects, *, counts: tuple[int, ...]) -> None:
    """Add the rows of each number of partitions. TimeoutError where a broker does not serve them all in time."""
    table.heading("Many partitions on one broker (the growth should be linear)")
    for count in counts:
        found: dict[str, dict[tuple[str, str], float]] = {}
        for subject in subjects.present:
            try:
                found[subject.name] = _figures(subject, count)
            except HostTrouble as trouble:
                table.note(f"{count:,} partitions: {trouble}")
        for name, unit in next(iter(found.values()), {}):
            reference, kafka = (found.get(who, {}).get((name, unit)) for who in ("reference", "kafka"))
            table.add(Row(name=f"{count:,} partitions: {name}", unit=unit, reference=reference, kafka=kafka))


def _figures(subject: Subject, count: int) -> dict[tuple[str, str], float]:
    """(what, unit) → the figure of one broker. The partitions are removed at the end."""
    name = TopicName(f"many-{count}")
    with (
        RawConnection.to(subject.bootstrap, timeout_s=LONGEST_S) as client,
        longest_wait(subject.bootstrap) as waited_s,
    ):
        begin = time.perf_counter()
        create(client, subject.name, name, count)
        await_served(subject, name, count)
        created_s = time.perf_counter() - begin
    memory_mb = resident_mb(subject.pid)
    subject.node.kill()
    begin = time.perf_counter()
    seconds_to_first_answer(subject)
    await_served(subject, name, count)
    restarted_s = time.perf_counter() - begin
    delete(subject, name)
    return {
        ("created and served", "s"): created_s,
        ("longest wait of another client meanwhile", "ms"): waited_s() * 1000,
        ("resident", "MB"): memory_mb,
        ("served again after kill -9", "s"): restarted_s,
    }


def create(client: RawConnection, who: str, name: TopicName, count: int) -> None:
    """The topic, in requests of what Kafka takes in one: 10,000 records. RuntimeError where the broker refuses."""
    first = min(count, CREATED_AT_ONCE)
    topic = CreatableTopic(name=name, num_partitions=first, replication_factor=1)
    request = CreateTopicsRequest(topics=(topic,), timeout_ms=_TIMEOUT_MS)
    codes = [one.error_code for one in client.request(ApiKey.CREATE_TOPICS, 7, request).topics]
    for total in range(first + CREATED_AT_ONCE, count + CREATED_AT_ONCE, CREATED_AT_ONCE):
        grown = CreatePartitionsTopic(name=name, count=min(total, count), assignments=None)
        more = CreatePartitionsRequest(topics=(grown,), timeout_ms=_TIMEOUT_MS, validate_only=False)
        codes += [one.error_code for one in client.request(ApiKey.CREATE_PARTITIONS, 3, more).results]
    if wrong := [code for code in codes if code]:
        raise RuntimeError(f"{who} creates no {count} partitions: {ErrorCode(wrong[0]).name}")


def delete(subject: Subject, name: TopicName) -> None:
    """Remove the topic."""
    with RawConnection.to(subject.bootstrap, timeout_s=LONGEST_S) as client:
        client.request(ApiKey.DELETE_TOPICS, 5, DeleteTopicsRequest(topic_names=(name,), timeout_ms=_TIMEOUT_MS))


def await_served(subject: Subject, name: TopicName, count: int) -> None:
    """Wait until every partition answers ListOffsets."""
    deadline = time.monotonic() + LONGEST_S
    missing = list(range(count))
    while missing:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{subject.name} does not serve {len(missing)} of {count} partitions")
        with suppress(OSError), RawConnection.to(subject.bootstrap, timeout_s=LONGEST_S) as client:
            missing = [index for some in parts_of(missing) for index in unserved(client, name, some)]
        time.sleep(0.02)


def parts_of(indexes: list[int]) -> Iterator[list[int]]:
    """As many of them as are asked for in one request, and so on."""
    for at in range(0, len(indexes), ASKED_AT_ONCE):
        yield indexes[at : at + ASKED_AT_ONCE]


def unserved(client: RawConnection, name: TopicName, indexes: list[int]) -> list[int]:
    """Those of some partitions for which the node does not answer ListOffsets."""
    asked = tuple(ListOffsetsPartition(partition_index=index, timestamp=LATEST) for index in indexes)
    request = ListOffsetsRequest(topics=(ListOffsetsTopic(name=name, partitions=asked),))
    (topic,) = client.request(ApiKey.LIST_OFFSETS, 6, request).topics
    return [one.partition_index for one in topic.partitions if one.error_code]


@contextmanager
def longest_wait(bootstrap: str) -> Iterator[Callable[[], float]]:
    """While it lasts another client asks for ApiVersions again and again; the longest time in s that it waited."""
    is_over = threading.Event()
    longest = [0.0]

    def ask() -> None:
        with RawConnection.to(bootstrap, timeout_s=LONGEST_S) as client:
            while not is_over.wait(PING_EVERY_S):
                begin = time.perf_counter()
                client.request(ApiKey.API_VERSIONS, 0, ApiVersionsRequest())
                longest[0] = max(longest[0], time.perf_counter() - begin)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield lambda: longest[0]
    finally:
        is_over.set()
        thread.join()
