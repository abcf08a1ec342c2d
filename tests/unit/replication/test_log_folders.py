"""A broker of several log folders: replicas are spread over them, and one that fails takes only its own along."""

from __future__ import annotations

import random
from typing import Any

import pytest
from broker_in_memory import NOW, BrokerInMemory, at, values
from memory_disk import MemoryDisk

from reference_broker.environment import Now
from reference_broker.replication.partition import Partition
from reference_broker.replication.partitions import Partitions
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.broker_registration_change_record import BrokerRegistrationChangeRecord
from reference_broker.wire.messages.partition_change_record import PartitionChangeRecord
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.refusal import KafkaError

ONE, TWO = Uuid(b"1" * 16), Uuid(b"2" * 16)
FOLDERS = {"/one": ONE, "/two": TWO}


def test_partitions_go_to_the_least_used_folder_and_the_controller_is_told() -> None:
    broker = BrokerInMemory(folders=FOLDERS)
    broker.create("t", partitions=4)
    assert [len(folder.logs) for folder in broker.partitions.folders] == [2, 2]
    assert broker.partitions.next_deadline_ms() == 0
    broker.partitions.on_time(at(NOW))
    told = [one.directories for one in broker.controller.image.topics.by_name["t"].partitions.values()]
    assert sorted(told) == [(ONE,), (ONE,), (TWO,), (TWO,)]


def test_partitions_stay_in_their_folders_after_a_restart() -> None:
    broker = BrokerInMemory(folders=FOLDERS)
    broker.create("t", partitions=4)
    for index in range(4):
        broker.append(str(index).encode(), index=index)
    broker.partitions.on_time(at(NOW))
    broker = broker.restarted()
    assert [values(broker, "t", index) for index in range(4)] == [[b"0"], [b"1"], [b"2"], [b"3"]]


class HalfBrokenDisk(MemoryDisk):
    """A disk on which one folder can fail."""

    broken_path = "/none"

    def open(self, path: str, **options: Any) -> Any:
        self._check(path)
        return super().open(path, **options)

    def read(self, path: str) -> bytes:
        self._check(path)
        return super().read(path)

    def exists(self, path: str) -> bool:
        self._check(path)
        return super().exists(path)

    def lock(self, path: str) -> None:
        self._check(path)

    def _check(self, path: str) -> None:
        if path.startswith(self.broken_path):
            raise OSError(5, "the disk is broken")


def test_a_folder_that_cannot_be_opened_is_offline_and_the_others_work() -> None:
    disk = HalfBrokenDisk()
    broker = BrokerInMemory(disk, folders=FOLDERS)
    broker.create("t", partitions=4)
    broker.partitions.on_time(at(NOW))
    broker.stop()
    disk.broken_path = "/two"
    again = BrokerInMemory(disk, broker.metadata, FOLDERS)
    assert list(again.partitions.folders.failures) == ["/two"]
    assert again.partitions.folders.online_ids == (ONE,)
    assert len(again.partitions) == 2
    offline = [index for index in range(4) if again.partitions.find("t", index) is None]
    for index in offline:
        with pytest.raises(KafkaError) as refused:
            again.partitions.get("t", index)
        assert refused.value.code == ErrorCode.KAFKA_STORAGE_ERROR
    leaders = [one.leader for one in again.controller.image.topics.by_name["t"].partitions.values()]
    assert [leaders[index] for index in offline] == [-1, -1]


def test_a_log_that_may_stand_in_an_offline_folder_does_not_begin_again() -> None:
    disk = HalfBrokenDisk()
    broker = BrokerInMemory(disk, folders=FOLDERS)
    broker.create("t", partitions=4)
    broker.stop()  # before the controller was told where the partitions are
    disk.broken_path = "/two"
    assert len(BrokerInMemory(disk, broker.metadata, FOLDERS).partitions) == 2


def test_a_log_that_is_gone_with_its_disk_begins_again() -> None:
    # A replaced broker, its folder empty and of another id, never served its replicas: the metadata named the old one.
    broker = BrokerInMemory(folders={"/one": ONE})
    broker.create("t")
    broker.partitions.on_time(at(NOW))
    broker.stop()
    again = BrokerInMemory(MemoryDisk(), broker.metadata, {"/one": TWO})
    assert (len(again.partitions), values(again)) == (1, [])


def test_no_folder_that_works_is_an_error() -> None:
    disk = HalfBrokenDisk()
    disk.broken_path = "/"
    with pytest.raises(OSError, match="none of the log folders"):
        Partitions.open(disk=disk, directories=FOLDERS, random=random.Random(1), on_touched=print, now_ms=NOW)


def test_a_folder_in_use_by_another_process_is_an_error() -> None:
    class LockedDisk(MemoryDisk):
        def lock(self, path: str) -> None:
            raise BlockingIOError(11, "locked")

    disk = LockedDisk()
    disk.make_directories("/one")
    with pytest.raises(BlockingIOError, match="/one is in use by another process"):
        Partitions.open(disk=disk, directories={"/one": ONE}, random=random.Random(1), on_touched=print, now_ms=NOW)


class Reader:
    def on_change(self, partition: Partition, now: Now) -> None:
        """Nothing: these tests look only at who would be told."""


def fail_second_folder() -> tuple[BrokerInMemory, list[int]]:
    """A broker with two folders of which one has failed; which partitions are lost."""
    broker = BrokerInMemory(folders=FOLDERS)
    broker.create("t", partitions=4)
    broker.partitions.on_time(at(NOW))
    for partition in broker.partitions:
        partition.watch(Reader())
    broker.partitions.folders.folders["/two"].fail("the disk is broken")
    return broker, [index for index in range(4) if broker.partitions.find("t", index) is None]


def test_a_failed_folders_partitions_are_offline_and_the_others_work() -> None:
    broker, lost = fail_second_folder()
    assert len(lost) == 2
    assert broker.partitions.folders.failures["/two"]
    assert any("/two is offline" in line for line in broker.events)
    with pytest.raises(KafkaError) as refused:
        broker.partitions.get("t", lost[0])
    assert refused.value.code == ErrorCode.KAFKA_STORAGE_ERROR


def test_whoever_waits_for_a_lost_partition_is_woken() -> None:
    broker, lost = fail_second_folder()
    assert [one.index for one in broker.touched] == lost


def test_the_controller_learns_of_a_failed_folder() -> None:
    broker, lost = fail_second_folder()
    assert broker.partitions.next_deadline_ms() == 0
    broker.partitions.on_time(at(NOW))
    image = broker.controller.image
    partitions = image.topics.by_name["t"].partitions
    assert image.brokers[1].log_dirs == (ONE,)
    assert [partitions[index].leader for index in lost] == [-1, -1]
    assert [partitions[index].elr for index in lost] == [(1,), (1,)]
    types = [type(message) for message, _ in broker.metadata.batches[-1].records]
    assert types == [PartitionChangeRecord, PartitionChangeRecord, BrokerRegistrationChangeRecord]


def test_new_topics_go_to_the_folders_that_still_work() -> None:
    broker, _ = fail_second_folder()
    broker.partitions.on_time(at(NOW))
    broker.create("n", partitions=2)
    assert [broker.partition("n", index).is_leader for index in range(2)] == [True, True]


def test_a_failed_folder_gets_no_clean_shutdown_mark() -> None:
    broker, _ = fail_second_folder()
    broker.stop()
    assert "/one/.kafka_cleanshutdown" in broker.disk.files
    assert "/two/.kafka_cleanshutdown" not in broker.disk.files


def test_a_folder_with_a_known_problem_is_offline_from_the_start() -> None:
    disk = MemoryDisk()
    disk.make_directories("/one")
    partitions = Partitions.open(
        disk=disk,
        directories={"/one": ONE},
        random=random.Random(1),
        on_touched=print,
        now_ms=NOW,
        problems={"/two": "it is not formatted"},
    )
    assert dict(partitions.folders.failures) == {"/two": "it is not formatted"}
    assert partitions.folders.previous_broker_epoch == -1


def test_a_disk_that_fails_during_upkeep_is_told_and_does_not_stop_it() -> None:
    broker = BrokerInMemory(folders=FOLDERS)
    broker.create("t", partitions=2)
    broker.disk.is_broken = True
    broker.partitions.on_time(at(NOW + 5_000))
    assert sorted(broker.partitions.folders.failures) == ["/one", "/two"]
