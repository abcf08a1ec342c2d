"""Hosted partitions: what metadata, time, restarts and failing disks do to them."""

from __future__ import annotations

import pytest
from broker_in_memory import NOW, BrokerInMemory, at, values
from metadata_log_in_memory import MetadataLogInMemory

from reference_broker.environment import Now
from reference_broker.metadata.image import TOPIC
from reference_broker.replication.partition import Partition
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.config_record import ConfigRecord
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.refusal import KafkaError

ONE, TWO = Uuid(b"1" * 16), Uuid(b"2" * 16)
FOLDERS = {"/one": ONE, "/two": TWO}


@pytest.fixture
def broker() -> BrokerInMemory:
    return BrokerInMemory()


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
    broker.create("t", retention_ms="1000")
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


def test_what_comes_from_a_leader_is_passed_over_once_the_logs_are_closed(broker: BrokerInMemory) -> None:
    # A node that stopped appended to a closed log, took that for a broken disk, and halted.
    broker.create("t")
    broker.follow()
    exchange = broker.partitions._exchange
    exchange.follow(broker.partition(), at(NOW))
    assert exchange.fetchers._fetchers
    broker.stop()
    assert not exchange.fetchers._fetchers


def test_a_reader_that_waits_finds_the_partition_gone_once_the_logs_are_closed(broker: BrokerInMemory) -> None:
    # A fetch that waited looked into a closed log; its node took that for a broken disk, and halted while it stopped.
    broker.create("t")
    partition, found = broker.partition(), []

    class Waiting:
        def on_change(self, changed: Partition, now: Now) -> None:
            found.append(changed.is_gone)

    partition.watch(Waiting())
    broker.stop()
    partition.wake(at(NOW))
    assert found == [True]


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
    assert broker.partitions.next_deadline_ms() == NOW + 1_000
    broker.partitions.on_time(at(NOW + 1_000))
    assert broker.partitions.next_deadline_ms() == NOW + 2_000


# -- recovery in steps ----------------------------------------------------------------------------------------------


def crashed_with_much_to_recover() -> BrokerInMemory:
    """A broker after a crash: one log has thousands of batches to be read again."""
    broker = BrokerInMemory()
    broker.create("large")
    broker.create("small")
    for _ in range(1_500):
        broker.append(b"a", name="large")
    broker.append(b"a", name="small")
    return BrokerInMemory(broker.disk, broker.metadata)


def test_a_log_is_recovered_between_other_things_and_the_others_follow() -> None:
    broker = crashed_with_much_to_recover()
    turns = 0
    while not broker.partitions.is_loaded:
        assert broker.partitions.next_deadline_ms() == 0
        broker.partitions.on_time(broker.now)
        turns += 1
    assert turns > 5
    assert [len(values(broker, name)) for name in ("large", "small")] == [1_500, 1]
    assert all(one.is_leader for one in broker.partitions)


@pytest.mark.parametrize("names", [("large", "small"), ("small", "large"), ("large",)])
def test_a_partition_that_is_asked_for_while_it_is_recovered_is_there(names: tuple[str, ...]) -> None:
    broker = crashed_with_much_to_recover()
    assert not broker.partitions.is_loaded
    for name in names:
        assert broker.partition(name).log.log_end_offset == {"large": 1_500, "small": 1}[name]
    broker.partitions.on_time(broker.now)
    assert broker.partitions.is_loaded


def test_a_topic_that_is_deleted_while_it_is_recovered_is_gone() -> None:
    broker = crashed_with_much_to_recover()
    assert not broker.partitions.is_loaded
    broker.delete("large")
    broker.create("large")
    while not broker.partitions.is_loaded:
        broker.partitions.on_time(broker.now)
    assert values(broker, "large") == []
    assert len([name for name in broker.disk.list("/data") if name.endswith("-delete")]) == 1


def test_a_folder_that_fails_while_a_log_in_it_is_recovered_leaves_that_offline() -> None:
    broker = crashed_with_much_to_recover()
    broker.disk.is_broken = True
    broker.partitions.on_time(broker.now)
    broker.disk.is_broken = False
    with pytest.raises(KafkaError) as refused:
        broker.partition("large")
    assert refused.value.code == ErrorCode.KAFKA_STORAGE_ERROR
