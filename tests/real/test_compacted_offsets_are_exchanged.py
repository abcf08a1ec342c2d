"""__consumer_offsets after thousands of commits, compacted by one broker, loads in the other: the last are there.

One and the same server.properties starts both. Kafka's own cleaner compacts in the one case, ours in the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from bench.storage import clean_up_to
from harness.hosts.host import wait_until
from harness.targets.readiness import ask
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.delete_groups_request import DeleteGroupsRequest
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest
from reference_broker.wire.messages.offset_commit_request import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from reference_broker.wire.messages.offset_fetch_request import OffsetFetchRequest, OffsetFetchRequestGroup

TOPIC, OFFSETS = "orders", "__consumer_offsets"
PARTITIONS, COMMITS = 100, 300
GROUPS = ("readers", "others", "gone")
SETTINGS = {
    "offsets.topic.num.partitions": "1",
    "offsets.topic.segment.bytes": str(1 << 20),
    "log.cleaner.backoff.ms": "200",
    "log.cleaner.min.cleanable.ratio": "0.01",
    "log.cleaner.delete.retention.ms": "0",
    "log.segment.delete.delay.ms": "100",
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A folder on which the second broker runs now; `size_before` and `size_after` are bytes of the offsets' log."""

    folder: Any
    size_before: int
    size_after: int


def commit(address: tuple[str, int], group: str, offset: int) -> None:
    """Each partition's offset, by a group without members."""
    partitions = tuple(
        OffsetCommitRequestPartition(
            partition_index=index, committed_offset=offset + index, committed_metadata="m" * 20
        )
        for index in range(PARTITIONS)
    )
    request = OffsetCommitRequest(
        group_id=group,
        generation_id_or_member_epoch=-1,
        topics=(OffsetCommitRequestTopic(name=TOPIC, partitions=partitions),),
    )
    answer = ask(address, ApiKey.OFFSET_COMMIT, 8, request)
    assert {one.error_code for topic in answer.topics for one in topic.partitions} == {ErrorCode.NONE}


def fetched(address: tuple[str, int], group: str) -> Any:
    """What OffsetFetch says of a group."""
    request = OffsetFetchRequest(groups=(OffsetFetchRequestGroup(group_id=group, topics=None),))
    return ask(address, ApiKey.OFFSET_FETCH, 8, request).groups[0]


def committed(address: tuple[str, int], group: str) -> dict[int, int]:
    """Partition → what is committed."""
    found = fetched(address, group)
    assert found.error_code == ErrorCode.NONE
    return {one.partition_index: one.committed_offset for topic in found.topics for one in topic.partitions}


def coordinates(address: tuple[str, int]) -> bool:
    request = FindCoordinatorRequest(key_type=0, coordinator_keys=GROUPS)
    found = ask(address, ApiKey.FIND_COORDINATOR, 4, request).coordinators
    is_found = all(one.error_code == ErrorCode.NONE for one in found)
    return is_found and all(fetched(address, group).error_code == ErrorCode.NONE for group in GROUPS)


def size_of(data: Path) -> int:
    return sum(path.stat().st_size for path in (data / f"{OFFSETS}-0").glob("*.log"))


@pytest.fixture(scope="module", params=[("kafka", "reference"), ("reference", "kafka")], ids="-to-".join)
def exchange(request: pytest.FixtureRequest, new_folder: Callable[..., Any]) -> Exchange:
    first, second = request.param
    folder = new_folder(**SETTINGS)
    folder.format(first)
    folder.start(first)
    address = ("127.0.0.1", folder.port)
    admin = AdminClient({"bootstrap.servers": folder.bootstrap})
    admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(20)
    wait_until(lambda: coordinates(address), 30, "there is no coordinator", every_s=0.2)
    for group in GROUPS:
        commit(address, group, 7)
    assert ask(address, ApiKey.DELETE_GROUPS, 2, DeleteGroupsRequest(groups_names=("gone",))).results[0].error_code == 0
    for number in range(COMMITS):
        commit(address, "readers", 1000 * number)
    checkpoint = folder.data / "cleaner-offset-checkpoint"
    written = COMMITS * PARTITIONS * 74  # a commit takes at least so many bytes
    wait_until(lambda: clean_up_to(checkpoint, OFFSETS) > 10_000, 30, "the offsets were not compacted", every_s=0.2)
    wait_until(lambda: size_of(folder.data) < 2 << 20, 30, "what was compacted is still there", every_s=0.2)
    size = size_of(folder.data)
    folder.end("stop")
    folder.start(second)
    wait_until(lambda: coordinates(address), 30, "there is no coordinator", every_s=0.2)
    return Exchange(folder, written, size)


def test_most_of_the_commits_are_gone(exchange: Exchange) -> None:
    assert exchange.size_after < exchange.size_before


def test_the_last_commits_are_there(exchange: Exchange) -> None:
    address = ("127.0.0.1", exchange.folder.port)
    assert committed(address, "readers") == {index: 1000 * (COMMITS - 1) + index for index in range(PARTITIONS)}
    assert committed(address, "others") == {index: 7 + index for index in range(PARTITIONS)}


def test_a_deleted_group_is_not_back(exchange: Exchange) -> None:
    assert committed(("127.0.0.1", exchange.folder.port), "gone") == {}


def test_commits_go_on(exchange: Exchange) -> None:
    address = ("127.0.0.1", exchange.folder.port)
    commit(address, "others", 9)
    assert committed(address, "others") == {index: 9 + index for index in range(PARTITIONS)}
