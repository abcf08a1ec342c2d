"""What goes of a log, when, and under which names until then; and folders that are cordoned: each as by Apache Kafka.

Both brokers get the same records and requests, one after the other; what is seen of each is compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from harness.hosts.host import wait_until
from harness.targets.readiness import ask
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_replica_log_dirs_request import (
    AlterReplicaLogDir,
    AlterReplicaLogDirsRequest,
    AlterReplicaLogDirTopic,
)
from reference_broker.wire.messages.create_topics_request import (
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest
from reference_broker.wire.messages.describe_log_dirs_request import DescribeLogDirsRequest
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from reference_broker.wire.messages.list_offsets_request import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.records import Record, encode_batch

BROKERS = ("reference", "kafka")
EARLIEST, LATEST, MAX_TIMESTAMP = -2, -1, -3
BROKER: Final = 4
SET, DELETE = 0, 1
DELAY_MS: Final = 5_000
SETTINGS: Final = {
    "log.retention.check.interval.ms": "300",
    "log.initial.task.delay.ms": "300",
    "log.cleaner.backoff.ms": "300",
    "log.segment.delete.delay.ms": str(DELAY_MS),
}


class Node:
    """A broker of either kind, asked with bytes of our own."""

    def __init__(self, folder: Any) -> None:
        self.folder = folder

    def ask(self, key: ApiKey, version: int, request: Any) -> Any:
        return ask(("127.0.0.1", self.folder.port), key, version, request)

    def create(self, name: str, partitions: int = 1, **settings: object) -> tuple[int, str | None]:
        configs = tuple(
            CreatableTopicConfig(name=key.replace("_", "."), value=str(value)) for key, value in settings.items()
        )
        topic = CreatableTopic(name=name, num_partitions=partitions, replication_factor=1, configs=configs)
        (found,) = self.ask(ApiKey.CREATE_TOPICS, 7, CreateTopicsRequest(topics=(topic,), timeout_ms=5_000)).topics
        return found.error_code, found.error_message

    def offset(self, name: str, timestamp: int) -> int:
        partition = ListOffsetsPartition(partition_index=0, timestamp=timestamp)
        request = ListOffsetsRequest(topics=(ListOffsetsTopic(name=name, partitions=(partition,)),))
        ((found,),) = [topic.partitions for topic in self.ask(ApiKey.LIST_OFFSETS, 7, request).topics]
        return int(found.offset) if found.error_code == ErrorCode.NONE else -99

    def send(self, name: str, *timestamps: int, size: int = 10) -> None:
        """A batch of records with these timestamps."""
        records = [Record(at, timestamp, b"k", bytes(size)) for at, timestamp in enumerate(timestamps)]
        data = PartitionProduceData(index=0, records=encode_batch(records))
        request = ProduceRequest(
            acks=-1, timeout_ms=5_000, topic_data=(TopicProduceData(name=name, partition_data=(data,)),)
        )
        ((found,),) = [one.partition_responses for one in self.ask(ApiKey.PRODUCE, 9, request).responses]
        assert found.error_code == ErrorCode.NONE, found

    def await_start(self, name: str, offset: int) -> None:
        wait_until(lambda: self.offset(name, EARLIEST) == offset, 15, f"{name} does not start at {offset}", every_s=0.1)

    def ends(self, name: str) -> tuple[int, int]:
        return self.offset(name, EARLIEST), self.offset(name, LATEST)


def doomed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.deleted"))


def deleted_folders(data: Path, name: str) -> int:
    return len(list(data.glob(f"{name}-0.*-delete")))


def retention_seen(who: str, new_folder: Callable[..., Any]) -> dict[str, Any]:
    folder = new_folder(**SETTINGS)
    folder.format(who)
    folder.start(who)
    node, seen, now_ms = Node(folder), {}, int(time.time() * 1000)
    short = {"retention_ms": 1000, "file_delete_delay_ms": DELAY_MS}
    for name, settings in {
        "aged": short,
        "future": short,
        "timeless": short | {"retention_ms": 3000},
        "sized": {"retention_bytes": 1, "segment_bytes": 1 << 20},
        "compacted": short | {"cleanup_policy": "compact"},
        "both": short | {"cleanup_policy": "compact,delete", "min_cleanable_dirty_ratio": 1},
        "kept": short | {"cleanup_policy": ""},
        "gone": {},
    }.items():
        seen[f"{name} is made"] = node.create(name, **settings)[0]
        wait_until(lambda name=name: node.offset(name, LATEST) == 0, 15, f"{name} is not served", every_s=0.05)  # type: ignore[misc]
    for name in ("aged", "compacted", "both", "kept", "gone"):
        node.send(name, *(now_ms - age_s * 1000 for age_s in (30, 20, 10)))
    node.send("future", now_ms - 10_000, now_ms + 1_800_000)
    node.send("timeless", -1)
    for _ in range(8):
        node.send("sized", now_ms, size=400_000)
    for name, start in (("aged", 3), ("both", 3), ("timeless", 1), ("sized", 6)):
        node.await_start(name, start)
        seen[name] = node.ends(name)
    seen["files of aged"] = doomed(folder.data / "aged-0")
    node.ask(ApiKey.DELETE_TOPICS, 5, DeleteTopicsRequest(topic_names=("gone",), timeout_ms=5_000))
    wait_until(lambda: deleted_folders(folder.data, "gone") == 1, 5, "the folder has no new name", every_s=0.05)
    wait_until(lambda: not doomed(folder.data / "aged-0"), 15, "deleted files stay", every_s=0.1)
    wait_until(lambda: deleted_folders(folder.data, "gone") == 0, 15, "a deleted folder stays", every_s=0.1)
    for name in ("future", "compacted", "kept"):
        seen[name] = node.ends(name)
    folder.end("stop")
    folder.start(who)
    for name, start in (("aged", 3), ("both", 3), ("timeless", 1), ("sized", 6), ("compacted", 0)):
        node.await_start(name, start)
        seen[f"{name} after a restart"] = node.ends(name)
    folder.end("stop")
    return seen


def cordons_seen(who: str, new_folder: Callable[..., Any], disks: Path) -> list[Any]:
    one, two = (str(disks / f"{who}-{which}") for which in ("one", "two"))
    folder = new_folder(**{"log.dirs": f"{one},{two}"})
    folder.format(who)
    folder.start(who)
    node, seen = Node(folder), []

    def folders() -> list[tuple[str, bool, int]]:
        found = node.ask(ApiKey.DESCRIBE_LOG_DIRS, 5, DescribeLogDirsRequest(topics=None)).results
        return [
            (at.log_dir.rpartition("-")[2], at.is_cordoned, sum(len(topic.partitions) for topic in at.topics))
            for at in found
        ]

    def create(name: str, partitions: int) -> None:
        there = sum(count for *_, count in folders())
        code, text = node.create(name, partitions)
        if not code:
            wait_until(lambda: sum(count for *_, count in folders()) == there + partitions, 15, "not made", every_s=0.1)
        seen.append((name, code, text, folders()))

    def cordon(value: str | None) -> None:
        config = AlterableConfig(
            name="cordoned.log.dirs", config_operation=DELETE if value is None else SET, value=value
        )
        resource = AlterConfigsResource(resource_type=BROKER, resource_name="1", configs=(config,))
        request = IncrementalAlterConfigsRequest(resources=(resource,), validate_only=False)
        (found,) = node.ask(ApiKey.INCREMENTAL_ALTER_CONFIGS, 1, request).responses
        time.sleep(1)  # the controller hears of it by the next heartbeat
        text = (found.error_message or "").replace(str(disks), "").replace(f"/{who}-", "/")
        seen.append((found.error_code, text, folders()))

    def move(name: str) -> None:
        topic = AlterReplicaLogDirTopic(name=name, partitions=(0,))
        request = AlterReplicaLogDirsRequest(dirs=(AlterReplicaLogDir(path=two, topics=(topic,)),))
        found = node.ask(ApiKey.ALTER_REPLICA_LOG_DIRS, 2, request)
        seen.append([partition.error_code for topic in found.results for partition in topic.partitions])

    create("even", 4)
    cordon(two)
    create("aside", 3)
    move("aside")
    move("missing")
    for wrong in ("/nowhere", f"*,{one}"):
        cordon(wrong)
    cordon("*")
    create("refused", 1)
    cordon(None)
    create("again", 3)
    folder.end("stop")
    return seen


@pytest.fixture(scope="module")
def retention(new_folder: Callable[..., Any]) -> list[dict[str, Any]]:
    return [retention_seen(who, new_folder) for who in BROKERS]


def test_what_goes_and_what_stays_is_the_same(retention: list[dict[str, Any]]) -> None:
    ours, kafkas = retention
    assert ours == kafkas


def test_something_went(retention: list[dict[str, Any]]) -> None:
    assert [one["aged"] for one in retention] == [(3, 3)] * 2
    assert [len(one["files of aged"]) for one in retention] == [3] * 2


def test_cordoned_folders_are_passed_over_in_the_same_way(new_folder: Callable[..., Any], tmp_path: Path) -> None:
    ours, kafkas = (cordons_seen(who, new_folder, tmp_path) for who in BROKERS)
    assert ours == kafkas
