"""DescribeLogDirs: folders, volumes and sizes."""

from __future__ import annotations

import pytest
from broker_in_memory import BrokerInMemory

from reference_broker.apis import alter_replica_log_dirs, describe_log_dirs
from reference_broker.metadata.image import BROKER
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_replica_log_dirs_request import (
    AlterReplicaLogDir,
    AlterReplicaLogDirsRequest,
    AlterReplicaLogDirTopic,
)
from reference_broker.wire.messages.config_record import ConfigRecord
from reference_broker.wire.messages.describe_log_dirs_request import DescribableLogDirTopic, DescribeLogDirsRequest
from reference_broker.wire.messages.describe_log_dirs_response import DescribeLogDirsResult
from reference_broker.wire.primitives import TopicName, Uuid

TWO = {"/one": Uuid(b"1" * 16), "/two": Uuid(b"2" * 16)}


@pytest.fixture
def broker() -> BrokerInMemory:
    broker = BrokerInMemory()
    broker.create("t", partitions=2)
    broker.append(b"a")
    return broker


def described(
    broker: BrokerInMemory, *topics: DescribableLogDirTopic, is_all: bool = True
) -> list[DescribeLogDirsResult]:
    return list(broker.call(describe_log_dirs, DescribeLogDirsRequest(topics=None if is_all else topics)).results)


def test_every_log_is_told_with_its_size(broker: BrokerInMemory) -> None:
    (folder,) = described(broker)
    ((name, partitions),) = [(topic.name, topic.partitions) for topic in folder.topics]
    assert (folder.error_code, folder.log_dir, name) == (0, "/data", "t")
    assert [one.partition_size for one in partitions] == [broker.partition().log.size, 0]
    assert {one.offset_lag for one in partitions} == {0}


def test_the_bytes_of_the_volume_are_told(broker: BrokerInMemory) -> None:
    (folder,) = described(broker)
    assert (folder.total_bytes, folder.usable_bytes) == broker.disk.usage("/data")


def test_only_the_partitions_that_are_asked_for_are_told(broker: BrokerInMemory) -> None:
    (folder,) = described(broker, DescribableLogDirTopic(topic=TopicName("t"), partitions=(1, 9)), is_all=False)
    assert [one.partition_index for topic in folder.topics for one in topic.partitions] == [1]


def test_a_folder_without_what_is_asked_for_is_told_nevertheless(broker: BrokerInMemory) -> None:
    (folder,) = described(broker, is_all=False)
    assert (folder.log_dir, folder.topics) == ("/data", ())


def test_a_folder_that_is_offline_is_told_by_its_error() -> None:
    broker = BrokerInMemory(folders=TWO)
    broker.partitions.folders.folders["/two"].fail("broken")
    assert [(one.log_dir, one.error_code) for one in described(broker)] == [
        ("/one", 0),
        ("/two", ErrorCode.KAFKA_STORAGE_ERROR),
    ]


def test_a_relative_folder_is_told_by_its_whole_path() -> None:
    broker = BrokerInMemory()
    broker.partitions.folders.absolute = "/where/it/runs{}".format
    assert [one.log_dir for one in described(broker)] == ["/where/it/runs/data"]


def test_a_cordoned_folder_is_told_as_such() -> None:
    broker = BrokerInMemory(folders=TWO, settings={"cordoned.log.dirs": "/two"})
    assert {one.log_dir: one.is_cordoned for one in described(broker)} == {"/one": False, "/two": True}


def test_folders_may_be_cordoned_while_the_broker_runs() -> None:
    broker = BrokerInMemory(folders=TWO)
    for value, expected in (("*", (True, True)), ("/one", (True, False)), (None, (False, False))):
        record = ConfigRecord(
            resource_type=BROKER,
            resource_name=str(broker.node_config.static.node_id),
            name="cordoned.log.dirs",
            value=value,
        )
        broker.controller.commit(((record, 0),), broker.now)
        assert tuple(one.is_cordoned for one in described(broker)) == expected


def test_new_replicas_are_put_where_no_folder_is_cordoned() -> None:
    broker = BrokerInMemory(folders=TWO, settings={"cordoned.log.dirs": "/one"})
    broker.create("t", partitions=4)
    assert [one.path for one in broker.partitions.placement.places.values()] == ["/two"] * 4


def test_where_all_folders_are_cordoned_a_replica_that_comes_all_the_same_is_put_into_the_first() -> None:
    broker = BrokerInMemory(folders=TWO)
    broker.partitions.folders.cordoned = tuple(TWO)
    broker.create("t", partitions=2)
    assert [one.path for one in broker.partitions.placement.places.values()] == ["/one"] * 2


def test_nothing_moves_into_a_cordoned_folder() -> None:
    broker = BrokerInMemory(folders=TWO, settings={"cordoned.log.dirs": "/two"})
    broker.create("t")
    moved = AlterReplicaLogDir(path="/two", topics=(AlterReplicaLogDirTopic(name=TopicName("t"), partitions=(0,)),))
    answer = broker.call(alter_replica_log_dirs, AlterReplicaLogDirsRequest(dirs=(moved,)))
    ((result,),) = [topic.partitions for topic in answer.results]
    assert result.error_code == ErrorCode.INVALID_REPLICA_ASSIGNMENT
