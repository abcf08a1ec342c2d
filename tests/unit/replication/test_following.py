"""Partitions that another broker leads: who fetches them, and what metadata does to that."""

from __future__ import annotations

from typing import Any

import pytest
from broker_in_memory import NOW, BrokerInMemory, at, batch

from bench.python_calls import python_calls
from reference_broker.effects import PeerLost, Send
from reference_broker.replication.follower import Follower
from reference_broker.wire.messages.config_record import ConfigRecord
from reference_broker.wire.messages.fetch_response import FetchableTopicResponse, FetchResponse, PartitionData
from reference_broker.wire.messages.partition_change_record import PartitionChangeRecord
from reference_broker.wire.messages.register_broker_record import BrokerEndpoint, RegisterBrokerRecord
from reference_broker.wire.primitives import BrokerId, Uuid
from reference_broker.wire.records import Record, encode_batch


def written(*values: bytes) -> bytes:
    """A batch as the leader of epoch 1 has it."""
    return as_led(batch(*values), 0)


def as_led(raw: bytes, base_offset: int) -> bytes:
    """A batch where it stands in the log of the leader of epoch 1."""
    return base_offset.to_bytes(8, "big") + raw[8:12] + (1).to_bytes(4, "big") + raw[16:]


class Pair:
    """Broker 1, with a partition that broker 2 leads. `fetch` is the request that it has sent."""

    def __init__(self, partitions: int = 1) -> None:
        self.broker = BrokerInMemory()
        self.topic_id = self.broker.create("t", partitions=partitions)
        endpoint = BrokerEndpoint(name="PLAINTEXT", host="other", port=9092)
        self.commit(
            RegisterBrokerRecord(broker_id=BrokerId(2), broker_epoch=50, fenced=False, end_points=(endpoint,)),
            version=3,
        )
        both = (BrokerId(1), BrokerId(2))
        for index in range(partitions):
            self.change(index, replicas=both, isr=both, leader=BrokerId(2))
        self.fetch = self.sent()

    def commit(self, record: Any, version: int = 0) -> None:
        self.broker.controller.commit(((record, version),), self.broker.now)

    def change(self, index: int = 0, **fields: Any) -> None:
        self.commit(PartitionChangeRecord(partition_id=index, topic_id=self.topic_id, **fields), version=1)

    def sent(self) -> Any:
        found = [one for one in self.broker.outbox.take() if isinstance(one, Send)]
        return found[0] if found else None

    def answer(self, data: PartitionData, topic_id: Uuid | None = None) -> None:
        topic = FetchableTopicResponse(topic_id=topic_id or self.topic_id, partitions=(data,))
        response = FetchResponse(session_id=5, responses=(topic,))
        self.broker.outbox.settle(self.fetch.token, response, self.broker.now)


@pytest.fixture
def pair() -> Pair:
    return Pair()


def test_a_partition_that_another_broker_leads_is_fetched_from_it(pair: Pair) -> None:
    assert isinstance(pair.broker.partition().role, Follower)
    assert (pair.fetch.peer.node_id, pair.fetch.peer.host, pair.fetch.channel) == (2, "other", "fetcher-0")
    (topic,) = pair.fetch.request.topics
    assert (topic.topic_id, topic.partitions[0].current_leader_epoch) == (pair.topic_id, 1)


def test_what_is_fetched_stands_in_the_log(pair: Pair) -> None:
    pair.answer(PartitionData(high_watermark=1, log_start_offset=0, records=written(b"a", b"b")))
    log = pair.broker.partition().log
    assert (log.log_end_offset, log.high_watermark) == (2, 1)


def test_the_next_fetch_goes_on_behind_what_came(pair: Pair) -> None:
    pair.answer(PartitionData(high_watermark=1, log_start_offset=0, records=written(b"a", b"b")))
    following = pair.sent()
    assert following.request.session_id == 5
    assert following.request.topics[0].partitions[0].fetch_offset == 2


def test_what_flush_messages_asks_for_is_flushed_before_the_leader_is_told_of_it(pair: Pair) -> None:
    flushes: list[Any] = []
    pair.broker.outbox.flush = lambda targets, then: flushes.append(then)  # type: ignore[method-assign]
    pair.broker.controller.commit(
        ((ConfigRecord(resource_type=2, resource_name="t", name="flush.messages", value="1"), 0),), pair.broker.now
    )
    pair.answer(PartitionData(high_watermark=1, log_start_offset=0, records=written(b"a", b"b")))
    before = pair.sent()
    flushes.pop()(None, pair.broker.now)
    pair.broker.partitions.on_time(pair.broker.now)
    assert before is None
    assert pair.sent().request.topics[0].partitions[0].fetch_offset == 2


def test_a_leader_that_does_not_answer_is_asked_again_after_a_while(pair: Pair) -> None:
    pair.broker.outbox.settle(pair.fetch.token, PeerLost("gone"), pair.broker.now)
    assert pair.sent() is None
    pair.broker.partitions.on_time(at(NOW + 1000))
    assert pair.sent().request.session_epoch == 0


def test_what_comes_after_this_broker_leads_is_passed_over(pair: Pair) -> None:
    pair.change(leader=BrokerId(1))
    pair.answer(PartitionData(high_watermark=1, log_start_offset=0, records=written(b"a")))
    assert pair.broker.partition().log.log_end_offset == 0
    assert pair.sent() is None


def test_a_reassigned_replica_is_deleted(pair: Pair) -> None:
    pair.change(replicas=(BrokerId(2),), isr=(BrokerId(2),))
    assert pair.broker.partitions.find("t", 0) is None


def test_a_fetch_costs_as_much_of_many_partitions_as_of_few() -> None:
    costs = []
    for partitions in (2, 200):
        pair = Pair(partitions)
        pair.answer(PartitionData(high_watermark=0, log_start_offset=0))
        pair.fetch = pair.sent()
        data = PartitionData(high_watermark=1, log_start_offset=0, records=written(b"a"))
        costs.append(python_calls(lambda pair=pair, data=data: pair.answer(data)))  # type: ignore[misc]
    assert abs(costs[1] - costs[0]) <= 5


def test_a_leader_that_lags_behind_the_metadata_is_asked_again_after_a_while(pair: Pair) -> None:
    pair.answer(PartitionData(error_code=76))
    assert pair.sent() is None
    pair.broker.partitions.on_time(pair.broker.now)
    assert pair.broker.partitions.next_deadline_ms() == NOW + 1000


def test_a_follower_that_is_behind_its_leader_waits_for_metadata(pair: Pair) -> None:
    pair.answer(PartitionData(error_code=74))
    pair.broker.partitions.on_time(at(NOW + 10_000))
    assert pair.sent() is None
    pair.change(leader=BrokerId(2))
    assert pair.sent().request.topics[0].partitions[0].current_leader_epoch == 2


def test_records_that_do_not_match_their_checksum_are_asked_for_again(pair: Pair) -> None:
    raw = written(b"a")
    pair.answer(PartitionData(high_watermark=1, log_start_offset=0, records=raw[:-1] + bytes([raw[-1] ^ 1])))
    assert pair.broker.partition().log.log_end_offset == 0
    pair.broker.partitions.on_time(at(NOW + 1000))
    assert pair.sent().request.session_id == 5


def test_a_broker_that_is_not_registered_fetches_nothing(pair: Pair) -> None:
    pair.broker.partitions.on_registered(-1, pair.broker.now)
    pair.broker.outbox.settle(pair.fetch.token, PeerLost("gone"), pair.broker.now)
    pair.broker.partitions.on_time(at(NOW + 1000))
    assert pair.sent() is None


OPEN = {"producer_id": 7, "producer_epoch": 0, "is_transactional": True}
ABORT = Record(0, NOW, (0).to_bytes(2, "big") + (0).to_bytes(2, "big"), bytes(6))


def test_a_follower_knows_what_is_stable_and_which_transactions_were_aborted(pair: Pair) -> None:
    partition = pair.broker.partition()
    pair.answer(PartitionData(high_watermark=2, log_start_offset=0, records=as_led(batch(b"a", b"b", **OPEN), 0)))
    assert (partition.high_watermark, partition.log.last_stable_offset) == (2, 0)
    pair.fetch = pair.sent()
    pair.answer(PartitionData(high_watermark=3, records=as_led(encode_batch([ABORT], **OPEN, is_control=True), 2)))
    read = partition.read(0, 1 << 20, epoch=1, is_committed=True, only_leader=False)
    assert (read.last_stable_offset, read.aborted) == (3, [(7, 0, 2, 3)])
