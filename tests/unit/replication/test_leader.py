"""A leader and its followers: what is committed, who is in sync, and what the controller says to it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from log_on_disk import NOW, batch
from memory_disk import MemoryDisk
from msgspec.structs import replace

from reference_broker.environment import Now
from reference_broker.log.config import LogConfig
from reference_broker.log.recovery import open_log
from reference_broker.metadata.brokers import BrokerImage
from reference_broker.metadata.topics import PartitionImage
from reference_broker.replication.alter_partition import AlterPartitions
from reference_broker.replication.leader import FollowerFetch, Leader
from reference_broker.replication.local_broker import LocalBroker
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_partition_response import (
    AlterPartitionResponse,
    PartitionData,
    TopicData,
)
from reference_broker.wire.messages.register_broker_record import BrokerEndpoint, RegisterBrokerRecord
from reference_broker.wire.primitives import BrokerId, Uuid
from reference_broker.wire.records import Batch, iter_batches
from reference_broker.wire.refusal import KafkaError

TOPIC_ID = Uuid(b"t" * 16)
LAG_MS = 1000


def at(monotonic_ms: int) -> Now:
    return Now(NOW + monotonic_ms, monotonic_ms)


class Led:
    """Broker 1 leads; brokers 2 and 3 follow. `asked` is what the controller was asked for."""

    def __init__(self, *, isr: tuple[int, ...] = (1, 2, 3), min_isr: int = 1) -> None:
        log = open_log(
            disk=MemoryDisk(),
            directory="/data/t-0",
            topic="t",
            partition=0,
            topic_id=TOPIC_ID,
            config=LogConfig(min_insync_replicas=min_isr),
            is_clean=False,
        )
        self.brokers = {one: self.broker(one) for one in (1, 2, 3)}
        self.local = LocalBroker(1, brokers=self.brokers, broker_epoch=100, replica_lag_time_max_ms=LAG_MS)
        self.asked: list[tuple[Any, Any]] = []
        self.leader = Leader(log, "key", self.local, AlterPartitions(self.local, self))
        self.image = PartitionImage(index=0, replicas=(1, 2, 3), isr=isr, leader=1, leader_epoch=0, partition_epoch=0)
        self.leader.update(self.image, at(0))

    @staticmethod
    def broker(broker_id: int, **fields: Any) -> BrokerImage:
        record = RegisterBrokerRecord(broker_id=BrokerId(broker_id), broker_epoch=broker_id * 100, fenced=False)
        return BrokerImage(replace(record, **fields))

    def request(self, api_key: Any, message: Any, then: Any, now: Now) -> None:
        self.asked.append((message, then))

    @property
    def wanted_isr(self) -> list[int]:
        """The ISR of the last request."""
        (one,) = self.asked[-1][0].topics[0].partitions
        return [member.broker_id for member in one.new_isr_with_epochs]

    def answer(self, code: ErrorCode = ErrorCode.NONE, *isr: int, partition_epoch: int = 1) -> None:
        _, then = self.asked[-1]
        data = PartitionData(
            error_code=code, leader_id=BrokerId(1), isr=tuple(map(BrokerId, isr)), partition_epoch=partition_epoch
        )
        then(AlterPartitionResponse(topics=(TopicData(topic_id=TOPIC_ID, partitions=(data,)),)), at(0))

    def append(self, count: int = 1) -> None:
        (one,) = iter_batches(batch(count))
        self.leader.append_from_client(Batch(one.header, one.data), 1, NOW)

    def fetch(self, replica_id: int, offset: int, when_ms: int = 0, **fields: Any) -> Any:
        fields = {"broker_epoch": replica_id * 100, "log_start_offset": 0, "epoch": 0} | fields
        asked = FollowerFetch(replica_id=replica_id, offset=offset, last_fetched_epoch=-1, max_bytes=1 << 20, **fields)
        return self.leader.read_for_follower(asked, at(when_ms))

    @property
    def high_watermark(self) -> int:
        return self.leader.log.high_watermark


def test_the_high_watermark_is_the_lowest_end_of_the_isr() -> None:
    led = Led()
    led.append(4)
    led.fetch(2, 3)
    led.fetch(3, 2)
    assert led.high_watermark == 2


def test_a_replica_that_has_not_fetched_holds_the_high_watermark_back() -> None:
    led = Led()
    led.append()
    led.fetch(2, 1)
    assert led.high_watermark == 0


def test_a_follower_reads_beyond_the_high_watermark() -> None:
    led = Led()
    led.append(4)
    assert led.fetch(2, 0).size > 0


def test_a_request_that_waits_at_the_leader_says_nothing_new() -> None:
    led = Led(isr=(1, 2))
    led.append()
    asked = FollowerFetch(2, 200, 1, 0, 0, -1, 1 << 20)
    led.leader.read_for_follower(asked, at(0), is_first_look=False)
    assert led.high_watermark == 0


def test_who_waits_is_told_once_all_in_sync_have_the_records() -> None:
    led, answers = Led(isr=(1, 2)), []
    led.append(2)
    led.leader.when_replicated(2, answers.append)
    led.fetch(2, 1)
    assert answers == []
    led.fetch(2, 2)
    assert answers == [ErrorCode.NONE]


def test_who_waits_is_refused_when_the_leader_resigns() -> None:
    led, answers = Led(), []
    led.append()
    led.leader.when_replicated(1, answers.append)
    led.leader.resign(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    assert answers == [ErrorCode.NOT_LEADER_OR_FOLLOWER]


def test_a_caught_up_replica_is_to_join_the_isr() -> None:
    led = Led(isr=(1,))
    led.append(2)
    led.fetch(2, 2)
    assert led.wanted_isr == [1, 2]


def test_a_replica_without_something_of_this_epoch_does_not_join() -> None:
    led = Led(isr=(1,))
    led.append(2)
    led.leader.log.high_watermark = 0
    led.leader.epoch_start_offset = 2
    led.fetch(2, 1)
    assert not led.asked


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"fenced": True}, "it is fenced"),
        ({"in_controlled_shutdown": True}, "it shuts down"),
        ({"broker_epoch": 150}, "another incarnation of it fetches"),
    ],
)
def test_a_replica_does_not_join(change: dict[str, Any], why: str) -> None:
    led = Led(isr=(1,))
    led.brokers[2] = led.broker(2, **change)
    led.append(2)
    led.fetch(2, 2, broker_epoch=200)
    assert not led.asked, why


def test_a_fetch_of_a_former_incarnation_is_refused() -> None:
    led = Led()
    led.brokers[2] = led.broker(2, broker_epoch=900)
    with pytest.raises(KafkaError) as error:
        led.fetch(2, 0)
    assert error.value.code == ErrorCode.NOT_LEADER_OR_FOLLOWER


@pytest.mark.parametrize(
    ("epoch", "code"), [(0, ErrorCode.UNKNOWN_LEADER_EPOCH), (-1, ErrorCode.NOT_LEADER_OR_FOLLOWER)]
)
def test_who_has_no_replica_is_refused(epoch: int, code: ErrorCode) -> None:
    with pytest.raises(KafkaError) as error:
        Led().fetch(7, 0, epoch=epoch)
    assert error.value.code == code


def test_a_replica_that_is_to_join_counts_already_for_the_high_watermark() -> None:
    led = Led(isr=(1,))
    led.append(2)
    led.fetch(2, 2)
    led.append(2)
    assert led.high_watermark == 2


def test_a_replica_that_is_to_join_does_not_count_yet_for_min_isr() -> None:
    led = Led(isr=(1,), min_isr=2)
    led.append()
    led.fetch(2, 1)
    (one,) = iter_batches(batch())
    with pytest.raises(KafkaError) as error:
        led.leader.append_from_client(Batch(one.header, one.data), -1, NOW)
    assert error.value.code == ErrorCode.NOT_ENOUGH_REPLICAS


def test_a_nodes_own_batch_is_appended_and_waits_where_too_few_are_in_sync() -> None:
    led = Led(isr=(1,), min_isr=2)
    assert led.leader.append_own(batch(), NOW).last_offset == 0
    assert led.high_watermark == 0


def test_the_high_watermark_waits_for_min_isr() -> None:
    led = Led(isr=(1,), min_isr=2)
    led.append()
    led.fetch(2, 1)
    assert led.high_watermark == 0
    led.answer(ErrorCode.NONE, 1, 2)
    assert led.high_watermark == 1


def test_an_isr_that_shrank_after_the_append_is_told() -> None:
    led, answers = Led(isr=(1, 2), min_isr=2), []
    led.append()
    led.leader.log.high_watermark = 1
    led.leader.isr.commit((1,))
    led.leader.when_replicated(1, answers.append)
    assert answers == [ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND]


def test_a_replica_that_lags_is_to_leave_the_isr() -> None:
    led = Led()
    led.append()
    led.fetch(2, 1, LAG_MS)
    led.leader.check_lag(at(LAG_MS + 1))
    assert led.wanted_isr == [1, 2]


def test_a_replica_with_everything_stays_in_the_isr_however_long_ago_it_fetched() -> None:
    led = Led()
    led.fetch(2, 0)
    led.fetch(3, 0)
    led.leader.check_lag(at(100 * LAG_MS))
    assert not led.asked


def test_a_replica_that_follows_closely_is_in_sync_though_it_never_has_everything() -> None:
    led = Led(isr=(1, 2))
    for step in range(20):
        led.append()
        led.fetch(2, step, step * LAG_MS // 2)
        led.leader.check_lag(at(step * LAG_MS // 2))
    assert not led.asked


def test_a_replica_that_is_to_leave_counts_until_the_controller_agrees() -> None:
    led = Led(isr=(1, 2))
    led.append()
    led.leader.check_lag(at(LAG_MS + 1))
    assert led.high_watermark == 0
    led.answer(ErrorCode.NONE, 1)
    assert led.high_watermark == 1


def test_one_change_is_asked_for_at_a_time() -> None:
    led = Led(isr=(1,))
    led.append()
    led.fetch(2, 1)
    led.fetch(3, 1)
    assert len(led.asked) == 1
    led.answer(ErrorCode.NONE, 1, 2)
    led.fetch(3, 1)
    assert led.wanted_isr == [1, 2, 3]


@pytest.mark.parametrize("code", [ErrorCode.INELIGIBLE_REPLICA, ErrorCode.OPERATION_NOT_ATTEMPTED])
def test_a_refused_change_is_dropped(code: ErrorCode) -> None:
    led = Led(isr=(1,))
    led.append()
    led.fetch(2, 1)
    led.answer(code)
    assert (led.leader.isr.pending, led.leader.isr.maximal) == (None, (1,))


@pytest.mark.parametrize(
    "code", [ErrorCode.INVALID_UPDATE_VERSION, ErrorCode.FENCED_LEADER_EPOCH, ErrorCode.NEW_LEADER_ELECTED]
)
def test_after_an_answer_from_a_later_state_the_leader_waits_for_metadata(code: ErrorCode) -> None:
    led = Led(isr=(1,))
    led.append()
    led.fetch(2, 1)
    led.answer(code)
    assert led.leader.isr.maximal == (1, 2)
    led.leader.update(dataclasses.replace(led.image, partition_epoch=4, isr=(1, 3)), at(0))
    assert (led.leader.isr.pending, led.leader.isr.maximal) == (None, (1, 3))


def test_another_error_has_the_change_asked_for_again() -> None:
    led = Led(isr=(1,))
    led.append()
    led.fetch(2, 1)
    led.answer(ErrorCode.UNKNOWN_SERVER_ERROR)
    assert len(led.asked) == 2


def test_the_same_metadata_again_leaves_a_change_pending() -> None:
    led = Led(isr=(1,))
    led.append()
    led.fetch(2, 1)
    led.leader.update(led.image, at(0))
    assert led.leader.isr.maximal == (1, 2)


def test_an_answer_after_a_newer_leader_epoch_is_passed_over() -> None:
    led = Led(isr=(1,))
    led.append()
    led.fetch(2, 1)
    led.leader.update(dataclasses.replace(led.image, partition_epoch=7, leader_epoch=3), at(0))
    led.answer(ErrorCode.NONE, 1, 2)
    assert (led.leader.isr.committed, led.leader.partition_epoch) == ((1,), 7)


def test_only_followers_that_live_say_where_records_are_gone() -> None:
    led = Led()
    led.append(4)
    led.leader.log.high_watermark = 4
    led.leader.log.raise_log_start(3)
    led.fetch(2, 4, log_start_offset=2)
    led.brokers[3] = led.broker(3, fenced=True)
    assert led.leader.followers_log_start == 2


def test_a_follower_that_is_not_in_sync_is_held_back_by_the_throttle() -> None:
    led = Led(isr=(1, 2))
    led.append()
    led.leader.log.reconfigure(LogConfig(leader_replication_throttled_replicas="0:1"))
    led.local.throttles.leader.limit = 10
    assert led.fetch(3, 0).size > 10
    assert led.fetch(3, 0).size == 0
    assert led.fetch(2, 0).size > 10, "the one in sync is not held back"
    assert led.fetch(3, 0, when_ms=60_000).size > 10, "long after"


def test_a_consumer_is_sent_to_a_follower_in_sync_in_its_rack_that_has_the_offset() -> None:
    led = Led(isr=(1, 2))
    led.append()
    led.append()
    endpoint = BrokerEndpoint(name="PLAINTEXT", host="h", port=1)
    for one in led.brokers:
        led.brokers[one] = led.broker(one, rack=f"rack {one}", end_points=(endpoint,))
    led.fetch(2, 1)
    led.fetch(3, 1)
    asked = [led.leader.preferred_replica(rack, at_offset, "PLAINTEXT", 0) for rack, at_offset in PREFERENCES]
    assert asked == [2, None, None, None]


PREFERENCES = [("rack 2", 1), ("rack 2", 2), ("rack 3", 1), ("rack 1", 1)]
