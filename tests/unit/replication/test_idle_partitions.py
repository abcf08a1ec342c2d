"""A follower's fetch session looks only at partitions in which something has changed, and misses nothing by that."""

from __future__ import annotations

from typing import Any

import pytest
from broker_in_memory import BrokerInMemory
from fetch_requests import by_id, fetched, part, parts_of

from bench.python_calls import python_calls
from reference_broker.environment import Now
from reference_broker.replication.leader import FollowerFetch, Leader
from reference_broker.replication.partition import Partition, Read
from reference_broker.waiting import Later
from reference_broker.wire.messages.fetch_request import FetchPartition, ForgottenTopic, ReplicaState
from reference_broker.wire.messages.fetch_response import FetchResponse
from reference_broker.wire.messages.partition_change_record import PartitionChangeRecord
from reference_broker.wire.messages.register_broker_record import BrokerEndpoint, RegisterBrokerRecord
from reference_broker.wire.primitives import BrokerId

PARTITIONS = 3
FOLLOWER = 2
BROKER_EPOCH = 50


class Led:
    """Broker 1 leads some partitions, broker 2 follows in one session. `read` are those that were looked at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, partitions: int = PARTITIONS) -> None:
        self.broker = BrokerInMemory()
        self.topic_id = self.broker.create("t", partitions=partitions)
        self.register(BROKER_EPOCH)
        both = (BrokerId(1), BrokerId(FOLLOWER))
        for index in range(partitions):
            change = PartitionChangeRecord(partition_id=index, topic_id=self.topic_id, replicas=both, isr=both)
            self.broker.controller.commit(((change, 1),), self.broker.now)
        self.read: list[int] = []
        usual = Partition.read_for_follower

        def counted(partition: Partition, fetch: FollowerFetch, now: Now, *, is_first_look: bool = True) -> Read:
            self.read.append(partition.index)
            return usual(partition, fetch, now, is_first_look=is_first_look)

        self.proposed: list[tuple[int, ...]] = []
        monkeypatch.setattr(Partition, "read_for_follower", counted)
        monkeypatch.setattr(Leader, "_propose", lambda leader, members, now: self.proposed.append(members))
        self.session, self.epoch = 0, 0
        self.fetch(*(part(index) for index in range(partitions)))
        self.fetch()
        self.read.clear()

    def register(self, broker_epoch: int) -> None:
        endpoint = BrokerEndpoint(name="PLAINTEXT", host="other", port=9092)
        record = RegisterBrokerRecord(
            broker_id=BrokerId(FOLLOWER), broker_epoch=broker_epoch, fenced=False, end_points=(endpoint,)
        )
        self.broker.controller.commit(((record, 3),), self.broker.now)

    def ask(self, *parts: FetchPartition, broker_epoch: int = BROKER_EPOCH, **fields: Any) -> Any:
        state = ReplicaState(replica_id=BrokerId(FOLLOWER), replica_epoch=broker_epoch)
        session = {"session_id": self.session, "session_epoch": self.epoch, "replica_state": state}
        answer = fetched(self.broker, by_id(self.topic_id, *parts, **(session | fields)), 17)
        self.epoch += 1
        return answer

    def fetch(self, *parts: FetchPartition, **fields: Any) -> list[int]:
        """The partitions that a fetch is answered that does not wait."""
        answer: FetchResponse = self.ask(*parts, max_wait_ms=0, **fields)
        self.session = answer.session_id
        return sorted(parts_of(answer))

    def wake(self) -> None:
        while self.broker.touched:
            self.broker.touched.pop(0).wake(self.broker.now)

    def append(self, index: int) -> None:
        self.broker.append(b"a", index=index)
        self.wake()

    def leader(self, index: int) -> Leader:
        role = self.broker.partition(index=index).role
        assert isinstance(role, Leader)
        return role


@pytest.fixture
def led(plain_python: None, monkeypatch: pytest.MonkeyPatch) -> Led:
    return Led(monkeypatch)


def test_a_fetch_costs_as_much_of_many_partitions_as_of_few(
    plain_python: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = []
    for partitions in (3, 300):
        led = Led(monkeypatch, partitions)
        led.append(1)
        led.fetch()
        costs.append(python_calls(led.fetch))
    assert abs(costs[1] - costs[0]) <= 5


def test_partitions_without_news_are_not_looked_at(led: Led) -> None:
    assert (led.fetch(), led.read) == ([], [])


def test_a_partition_with_news_is_looked_at_and_told(led: Led) -> None:
    led.append(1)
    assert (led.fetch(), led.read) == ([1], [1])


def test_records_are_told_again_until_the_follower_asks_for_what_comes_after_them(led: Led) -> None:
    led.append(1)
    assert [led.fetch(), led.fetch(), led.fetch(part(1, offset=1))] == [[1], [1], []]


def test_a_new_high_watermark_is_told(led: Led) -> None:
    led.append(1)
    led.fetch()
    led.fetch(part(1, offset=1))  # raises it
    assert led.broker.partition(index=1).high_watermark == 1
    assert [led.fetch(), led.fetch()] == [[1], []]


def test_a_fetch_that_waits_is_answered_when_something_comes_into_an_idle_partition(led: Led) -> None:
    later = led.ask(max_wait_ms=500)
    assert isinstance(later, Later)
    led.append(2)
    answers: list[FetchResponse] = []
    later.then(answers.append)
    assert [list(parts_of(one)) for one in answers] == [[2]]


def test_a_fetch_that_waited_in_vain_looks_at_nothing(led: Led) -> None:
    later = led.ask(max_wait_ms=500)
    assert led.broker.wake(later, is_late=True).responses == ()
    assert led.read == []


def test_each_fetch_says_that_the_follower_of_an_idle_partition_lives(led: Led) -> None:
    led.broker.now_ms += 60_000
    led.fetch()
    led.append(1)
    leader = led.leader(1)
    led.broker.now_ms += leader._local.replica_lag_time_max_ms
    leader.check_lag(led.broker.now)
    assert led.proposed == []


def test_a_follower_that_stops_fetching_leaves_the_isr_of_an_idle_partition_that_gets_records(led: Led) -> None:
    led.append(1)
    leader = led.leader(1)
    led.broker.now_ms += leader._local.replica_lag_time_max_ms + 1
    leader.check_lag(led.broker.now)
    assert led.proposed == [(1,)]


def test_a_follower_that_is_not_in_sync_is_looked_at_with_every_fetch(led: Led) -> None:
    change = PartitionChangeRecord(partition_id=1, topic_id=led.topic_id, isr=(BrokerId(1),))
    led.broker.controller.commit(((change, 1),), led.broker.now)
    led.wake()
    led.fetch()
    assert led.read == [1]


def test_a_broker_that_was_registered_anew_is_refused_also_in_idle_partitions(led: Led) -> None:
    led.register(BROKER_EPOCH + 1)
    led.wake()
    assert led.fetch() == [0, 1, 2]


def test_another_incarnation_in_the_same_session_is_looked_at_anew(led: Led) -> None:
    led.register(BROKER_EPOCH + 1)
    led.wake()
    led.fetch(broker_epoch=BROKER_EPOCH + 1)
    assert sorted(led.read) == [0, 1, 2]


def test_a_partition_that_is_forgotten_wakes_nobody(led: Led) -> None:
    gone = (ForgottenTopic(topic_id=led.topic_id, partitions=(1,)),)
    led.fetch(forgotten_topics_data=gone)
    led.broker.append(b"a", index=1)
    assert led.broker.touched == []


def test_a_session_that_is_closed_watches_nothing(led: Led) -> None:
    led.fetch(session_epoch=-1)
    led.broker.append(b"a", index=1)
    assert led.broker.touched == []


def test_a_partition_that_goes_is_told(led: Led) -> None:
    led.broker.delete("t")
    led.wake()
    assert led.fetch() == [0, 1, 2]


def test_a_log_that_starts_later_by_retention_is_told(led: Led) -> None:
    led.append(1)
    led.fetch(part(1, offset=1))
    led.fetch()
    led.fetch()
    led.broker.partition(index=1).log.raise_log_start(1)
    led.broker.partitions._on_deleted_segments()
    led.wake()
    assert led.fetch() == [1]
