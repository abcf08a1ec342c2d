"""Hosted partitions: what metadata, time, restarts and failing disks do to them."""

from __future__ import annotations

import random
from typing import Any

import pytest
from broker_in_memory import NOW, BrokerInMemory, MetadataLogInMemory, at
from memory_disk import MemoryDisk

from reference_broker.environment import Now
from reference_broker.metadata.image import TOPIC
from reference_broker.replication.partition import Partition
from reference_broker.replication.partitions import Partitions
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.broker_registration_change_record import BrokerRegistrationChangeRecord
from reference_broker.wire.messages.config_record import ConfigRecord
from reference_broker.wire.messages.partition_change_record import PartitionChangeRecord
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.refusal import KafkaError

ONE, TWO = Uuid(b"1" * 16), Uuid(b"2" * 16)
FOLDERS = {"/one": ONE, "/two": TWO}


@pytest.fixture
def broker() -> BrokerInMemory:
    return BrokerInMemory()


def values(broker: BrokerInMemory, name: str = "t", index: int = 0) -> list[bytes | None]:
    log = broker.partition(name, index).log
    return [record.value for batch in log.batches_from(log.log_start_offset) for record in batch.records()]


# -- metadata -------------------------------------------------------------------------------------------------------


class Reader:
    def on_change(self, partition: Partition, now: Now) -> None:
        """Nothing: these tests look only at who would be told."""


def test_a_created_topic_is_hosted_and_led(broker: BrokerInMemory) -> None:
    topic_id = broker.create("t", partitions=3)
    assert [one.is_leader for one in broker.partitions] == [True] * 3
    assert broker.partitions.get_by_id(topic_id, 2) is broker.partitions.get("t", 2)


def test_a_topic_has_its_own_configuration(broker: BrokerInMemory) -> None:
    broker.create("t", retention_ms="5000")
    assert broker.partition().log.config.retention_ms == 5000


def test_a_new_configuration_reaches_the_log(broker: BrokerInMemory) -> None:
    broker.create("t")
    record = ConfigRecord(resource_type=TOPIC, resource_name="t", name="max.message.bytes", value="77")
    broker.controller.commit(((record, 0),), at(NOW))
    assert broker.partition().log.config.max_message_bytes == 77


def test_a_deleted_topic_is_gone_and_its_folder_marked(broker: BrokerInMemory) -> None:
    topic_id = broker.create("t")
    partition = broker.partition()
    partition.watch(Reader())
    broker.delete("t")
    assert broker.touched == [partition]
    assert [name for name in broker.disk.list("/data") if name.endswith("-delete")]
    with pytest.raises(KafkaError) as refused:
        broker.partitions.get_by_id(topic_id, 0)
    assert refused.value.code == ErrorCode.UNKNOWN_TOPIC_ID


def test_a_topic_that_is_made_again_begins_empty(broker: BrokerInMemory) -> None:
    broker.create("t")
    broker.append(b"old")
    broker.delete("t")
    broker.create("t")
    assert values(broker) == []


def test_a_deleted_topics_files_go_when_their_delay_is_over(broker: BrokerInMemory) -> None:
    broker.create("t", file_delete_delay_ms="1000")
    broker.delete("t")
    broker.partitions.on_time(at(NOW + 60_000))
    assert not [name for name in broker.disk.list("/data") if name.endswith("-delete")]


# -- restarts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_clean", [True, False])
def test_records_are_served_again_after_a_restart(broker: BrokerInMemory, is_clean: bool) -> None:
    broker.create("t")
    broker.append(b"a", b"b")
    broker = broker.restarted(is_clean=is_clean)
    assert values(broker) == [b"a", b"b"]
    assert broker.partition().high_watermark == 2


def test_a_restart_is_a_new_leader_epoch(broker: BrokerInMemory) -> None:
    broker.create("t")
    before = broker.partition().leader_epoch
    broker = broker.restarted()
    assert broker.partition().leader_epoch > before
    assert broker.partition().log.epochs.latest == broker.partition().leader_epoch


def test_the_epoch_of_the_last_run_is_known_only_after_a_clean_stop(broker: BrokerInMemory) -> None:
    epoch = broker.own.epoch
    again = broker.restarted()
    assert again.partitions.folders.previous_broker_epoch == epoch
    assert again.restarted(is_clean=False).partitions.folders.previous_broker_epoch == -1


def test_a_folder_that_the_metadata_does_not_know_is_set_aside(broker: BrokerInMemory) -> None:
    broker.create("t")
    broker.append(b"a")
    broker.stop()
    again = BrokerInMemory(broker.disk, MetadataLogInMemory())
    assert [name for name in again.disk.list("/data") if name.endswith("-stray")]
    assert len(again.partitions) == 0
    assert any("set aside" in line for line in again.events)


def test_the_folder_of_a_new_log_without_records_is_taken_though_it_does_not_say_whose_it_is(
    broker: BrokerInMemory,
) -> None:
    broker.create("t")
    assert "/data/t-0/partition.metadata" not in broker.disk.files
    again = broker.restarted(is_clean=False)
    assert again.events == []
    assert [name for name in again.disk.list("/data") if name.startswith("t-0")] == ["t-0"]


def test_the_folder_of_another_topic_of_that_name_is_set_aside(broker: BrokerInMemory) -> None:
    broker.create("t")
    broker.append(b"old")
    other = BrokerInMemory()
    other.create("x")
    other.create("t")
    broker.stop()
    again = BrokerInMemory(broker.disk, other.metadata)
    assert values(again) == []
    assert [name for name in again.disk.list("/data") if name.startswith("t-0.") and name.endswith("-stray")]


# -- several folders ------------------------------------------------------------------------------------------------


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


def test_what_comes_from_a_leader_is_passed_over_once_the_logs_are_closed(broker: BrokerInMemory) -> None:
    # A node that stopped appended to a closed log, took that for a broken disk, and halted.
    broker.create("t")
    broker.follow()
    exchange = broker.partitions._exchange
    exchange.follow(broker.partition(), at(NOW))
    assert exchange.fetchers._fetchers
    broker.stop()
    assert not exchange.fetchers._fetchers


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


# -- a disk that fails at work --------------------------------------------------------------------------------------


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


# -- time -----------------------------------------------------------------------------------------------------------


def test_old_segments_go_at_the_retention_interval(broker: BrokerInMemory) -> None:
    broker.create("t", retention_ms="1000")
    broker.append(b"a", timestamp=NOW - 5000)
    broker.partitions.on_time(at(NOW + 29_999))
    assert broker.partition().log.log_start_offset == 0
    broker.partitions.on_time(at(NOW + 30_000))
    assert broker.partition().log.log_start_offset == 1


def test_a_raised_log_start_frees_whole_segments_at_the_next_retention(broker: BrokerInMemory) -> None:
    broker.create("t", retention_ms="-1")
    broker.append(b"a")
    broker.partition().log.roll(NOW)
    broker.append(b"b")
    broker.partition().delete_records(1)
    assert len(broker.partition().log.segments) == 2
    broker.partitions.on_time(at(NOW + 30_000))
    assert len(broker.partition().log.segments) == 1


def test_high_watermarks_are_kept_every_five_seconds(broker: BrokerInMemory) -> None:
    broker.create("t")
    broker.append(b"a")
    broker.partitions.on_time(at(NOW + 5_000))
    assert broker.disk.files["/data/replication-offset-checkpoint"] == b"0\n1\nt 0 1\n"


def test_recovery_points_are_kept_with_the_segments_that_are_full(broker: BrokerInMemory) -> None:
    broker.create("t")
    broker.append(b"a")
    broker.partition().log.roll(NOW)
    broker.append(b"b")
    broker.partitions.on_time(at(NOW + 30_000))
    assert broker.disk.files["/data/recovery-point-offset-checkpoint"] == b"0\n1\nt 0 1\n"


def test_log_starts_are_kept(broker: BrokerInMemory) -> None:
    broker.create("t")
    broker.append(b"a")
    broker.append(b"b")
    broker.partition().delete_records(1)
    broker.partitions.on_time(at(NOW + 30_000))
    assert broker.disk.files["/data/log-start-offset-checkpoint"] == b"0\n1\nt 0 1\n"


def test_silent_producers_are_forgotten_after_their_time() -> None:
    broker = BrokerInMemory(settings={"producer.id.expiration.ms": "1000"})
    broker.create("t")
    broker.append(b"a", producer_id=7, producer_epoch=0, base_sequence=0)
    broker.partitions.on_time(at(NOW + 700_000))
    assert broker.partition().log.active_producers() == []


def test_logs_are_flushed_at_the_flush_schedulers_interval() -> None:
    broker = BrokerInMemory(settings={"log.flush.scheduler.interval.ms": "1000", "log.flush.interval.ms": "1000"})
    broker.create("t")
    broker.append(b"a")
    broker.partitions.on_time(at(NOW + 30_000))
    assert broker.partition().log.recovery_point == 1


def test_the_next_deadline_follows_what_was_done(broker: BrokerInMemory) -> None:
    assert broker.partitions.next_deadline_ms() == NOW + 5_000
    broker.partitions.on_time(at(NOW + 5_000))
    assert broker.partitions.next_deadline_ms() == NOW + 10_000


def test_a_disk_that_fails_during_upkeep_is_told_and_does_not_stop_it() -> None:
    broker = BrokerInMemory(folders=FOLDERS)
    broker.create("t", partitions=2)
    broker.disk.is_broken = True
    broker.partitions.on_time(at(NOW + 5_000))
    assert sorted(broker.partitions.folders.failures) == ["/one", "/two"]


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
