"""Replicas that move between the log folders of a broker (KIP-113, KIP-858)."""

from __future__ import annotations

import pytest
from broker_in_memory import NOW, BrokerInMemory, at

from reference_broker.apis import alter_replica_log_dirs, describe_log_dirs
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_replica_log_dirs_request import (
    AlterReplicaLogDir,
    AlterReplicaLogDirsRequest,
    AlterReplicaLogDirTopic,
)
from reference_broker.wire.messages.describe_log_dirs_request import DescribeLogDirsRequest
from reference_broker.wire.primitives import TopicName, Uuid

FOLDERS = {"/one": Uuid(b"1" * 16), "/two": Uuid(b"2" * 16)}


@pytest.fixture
def broker() -> BrokerInMemory:
    """A broker with two folders, and a log of two records in the first."""
    broker = BrokerInMemory(folders=FOLDERS)
    broker.create("t")
    broker.append(b"a", b"b")
    assert place(broker) == "/one"
    return broker


def values(broker: BrokerInMemory) -> list[bytes | None]:
    return [record.value for batch in broker.partition().log.batches_from(0) for record in batch.records()]


def place(broker: BrokerInMemory) -> str:
    return broker.partitions.placement.places["t", 0].path


def moved(broker: BrokerInMemory, path: str, topic: str = "t") -> str:
    """What a request to move the partition is answered."""
    named = AlterReplicaLogDirTopic(name=TopicName(topic), partitions=(0,))
    request = AlterReplicaLogDirsRequest(dirs=(AlterReplicaLogDir(path=path, topics=(named,)),))
    (result,) = broker.call(alter_replica_log_dirs, request).results
    return ErrorCode(result.partitions[0].error_code).name


def copied(broker: BrokerInMemory, turns: int = 3) -> None:
    for turn in range(turns):
        broker.partitions.on_time(at(NOW + 100 * turn))


def confirm(broker: BrokerInMemory) -> None:
    """The controller knows of the folder."""
    _, _, then = broker.assigned[-1]
    then(broker.now)
    broker.partitions.on_time(at(NOW + 1000))


def shown(broker: BrokerInMemory) -> list[tuple[str, bool, int]]:
    """(folder, whether it is a copy, lag) of the partition's logs."""
    return [
        (folder.log_dir, one.is_future_key, one.offset_lag)
        for folder in broker.call(describe_log_dirs, DescribeLogDirsRequest(topics=None)).results
        for topic in folder.topics
        for one in topic.partitions
    ]


def test_a_log_moves_with_all_it_holds(broker: BrokerInMemory) -> None:
    partition = broker.partition()
    assert moved(broker, "/two") == "NONE"
    copied(broker)
    assert broker.assigned[-1][1] == FOLDERS["/two"]
    broker.append(b"c")
    confirm(broker)
    assert (place(broker), values(broker)) == ("/two", [b"a", b"b", b"c"])
    assert (partition.high_watermark, partition.is_leader) == (3, True)
    broker.append(b"d")
    assert values(broker) == [b"a", b"b", b"c", b"d"]
    (left,) = [name for name in broker.disk.list("/one") if name.startswith("t-0")]
    assert left.endswith("-delete")


def test_a_log_stays_where_it_is_until_the_controller_knows(broker: BrokerInMemory) -> None:
    moved(broker, "/two")
    copied(broker, 20)
    assert place(broker) == "/one"
    assert shown(broker) == [("/one", False, 0), ("/two", True, 0)]


def test_a_copy_lags_by_what_it_lacks(broker: BrokerInMemory) -> None:
    moved(broker, "/two")
    assert shown(broker) == [("/one", False, 0), ("/two", True, 2)]


@pytest.mark.parametrize("is_clean", [True, False])
def test_a_move_goes_on_after_a_restart(broker: BrokerInMemory, is_clean: bool) -> None:
    moved(broker, "/two")
    copied(broker)
    broker.append(b"c")
    again = broker.restarted(is_clean=is_clean)
    copied(again)
    confirm(again)
    assert (place(again), values(again)) == ("/two", [b"a", b"b", b"c"])


def test_a_crash_between_the_two_renames_loses_nothing(broker: BrokerInMemory) -> None:
    moved(broker, "/two")
    copied(broker)
    folder = broker.partitions.placement.places["t", 0]
    folder.delete_log("t", 0, NOW)  # the copy has not taken its place yet
    image = broker.controller.image.partition("t", 0)
    assert image is not None
    placement = broker.partitions.placement
    named = placement.folders.by_id(FOLDERS["/two"])
    assert named is not None
    assert named.futures.adopt(("t", 0))
    assert [name for name in broker.disk.list("/two") if name.startswith("t-0")] == ["t-0"]


def test_a_move_back_ends_the_move(broker: BrokerInMemory) -> None:
    moved(broker, "/two")
    copied(broker)
    assert moved(broker, "/one") == "NONE"
    assert shown(broker) == [("/one", False, 0)]
    assert broker.assigned[-1][1] == FOLDERS["/one"], "the controller may have been told of the other"
    assert not [name for name in broker.disk.list("/two") if name.startswith("t-0")]


def test_the_copy_of_a_deleted_topic_goes(broker: BrokerInMemory) -> None:
    moved(broker, "/two")
    broker.delete("t")
    copied(broker)
    assert not [name for name in broker.disk.list("/two") if name.endswith("-future")]


def test_a_log_that_was_cut_cuts_its_copy(broker: BrokerInMemory) -> None:
    moved(broker, "/two")
    copied(broker)
    move = broker.partitions.moves.find(("t", 0))
    assert move is not None
    broker.partition().log.truncate_to(0)
    broker.partitions.moves.on_truncated(broker.partition())
    assert move.log.log_end_offset == 0


def test_a_throttle_holds_a_move_back(broker: BrokerInMemory) -> None:
    for number in range(3):
        broker.append(bytes(700_000), name="t", index=0) if number else None
    broker.partitions._exchange.local.throttles.move.limit = 1
    moved(broker, "/two")
    copied(broker)
    move = broker.partitions.moves.find(("t", 0))
    assert move is not None
    assert move.lag > 0
    copied(broker)
    assert move.lag > 0


@pytest.mark.parametrize(
    ("topic", "path", "error"),
    [
        ("t", "/three", "LOG_DIR_NOT_FOUND"),
        ("none", "/two", "UNKNOWN_TOPIC_OR_PARTITION"),
        ("n" * 240, "/two", "INVALID_TOPIC_EXCEPTION"),
        ("t", "/one", "NONE"),
    ],
)
def test_what_cannot_move_is_refused(broker: BrokerInMemory, topic: str, path: str, error: str) -> None:
    assert moved(broker, path, topic) == error


def test_nothing_moves_while_a_folder_is_offline() -> None:
    broker = BrokerInMemory(folders={**FOLDERS, "/three": Uuid(b"3" * 16)})
    broker.create("t")
    folder = broker.partitions.folders.by_id(Uuid(b"3" * 16))
    assert folder is not None
    folder.fail("broken")
    assert (moved(broker, "/three"), moved(broker, "/two")) == ("KAFKA_STORAGE_ERROR", "KAFKA_STORAGE_ERROR")
