"""Heartbeats unfence, fence and stop brokers; silence fences them."""

from __future__ import annotations

from typing import Any

import pytest
from cluster_in_memory import CONFIG, SESSION_MS, Cluster, at, directory, partition

from reference_broker.controller import silent_brokers
from reference_broker.controller.decision import Decision
from reference_broker.controller.heartbeat import decide_heartbeat
from reference_broker.controller.sessions import BrokerSessions
from reference_broker.controller.silent_brokers import SilentBrokers
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.broker_heartbeat_request import BrokerHeartbeatRequest
from reference_broker.wire.primitives import BrokerId
from reference_broker.wire.refusal import KafkaError


def decide(cluster: Cluster, broker_id: int, now_ms: int = 0, **changes: Any) -> Decision:
    fields = {
        "broker_id": BrokerId(broker_id),
        "broker_epoch": cluster.epoch(broker_id) if broker_id in cluster.image.brokers else 0,
        "current_metadata_offset": cluster.next_offset - 1,
        "cordoned_log_dirs": None,
    }
    return decide_heartbeat(
        cluster.image,
        CONFIG,
        BrokerHeartbeatRequest(**(fields | changes)),
        sessions=cluster.sessions,
        next_offset=cluster.next_offset,
        now=at(now_ms),
    )


def beat(cluster: Cluster, broker_id: int, now_ms: int = 0, **changes: Any) -> tuple[bool, bool, bool]:
    """A heartbeat; (caught up, fenced, should shut down)."""
    response = cluster.apply(decide(cluster, broker_id, now_ms, **changes))
    return response.is_caught_up, response.is_fenced, response.should_shut_down


def test_a_broker_that_has_read_its_registration_is_unfenced() -> None:
    cluster = Cluster.of()
    cluster.add_broker(1, is_fenced=True)
    assert (beat(cluster, 1), cluster.image.brokers[1].is_fenced) == ((True, False, False), False)


def test_a_broker_that_has_not_read_its_registration_stays_fenced() -> None:
    cluster = Cluster.of()
    cluster.add_broker(1, is_fenced=True)
    assert beat(cluster, 1, current_metadata_offset=cluster.epoch(1) - 1) == (False, True, False)


def test_a_broker_that_wants_to_be_fenced_stays_fenced() -> None:
    cluster = Cluster.of()
    cluster.add_broker(1, is_fenced=True)
    assert beat(cluster, 1, want_fence=True) == (True, True, False)


def test_an_unfenced_broker_leads_what_has_no_leader() -> None:
    cluster = Cluster.of()
    cluster.add_broker(1, is_fenced=True)
    cluster.add_topic(partition(1, leader=-1))
    beat(cluster, 1)
    assert (cluster.partition().leader, cluster.partition().leader_epoch) == (1, 6)


def test_a_heartbeat_of_an_unchanged_broker_writes_nothing() -> None:
    assert decide(Cluster.of(1), 1).records == ()


def test_a_broker_that_is_fenced_leaves_every_isr() -> None:
    cluster = Cluster.of(1, 2)
    cluster.add_topic(partition(1, 2), partition(2, 1, index=1))
    beat(cluster, 1, want_fence=True)
    assert [(one.leader, one.isr) for one in cluster.image.topics.by_name["t"].partitions.values()] == [
        (2, (2,)),
        (2, (2,)),
    ]


@pytest.mark.parametrize("epoch", [-1, 99])
def test_a_heartbeat_under_another_epoch_is_stale(epoch: int) -> None:
    with pytest.raises(KafkaError) as refused:
        decide(Cluster.of(1), 1, broker_epoch=epoch)
    assert refused.value.code is ErrorCode.STALE_BROKER_EPOCH


def test_a_heartbeat_of_an_unknown_broker_is_stale() -> None:
    with pytest.raises(KafkaError) as refused:
        decide(Cluster.of(1), 2)
    assert refused.value.code is ErrorCode.STALE_BROKER_EPOCH


# -- stopping ---------------------------------------------------------------------------------------------------------


def test_a_broker_that_leads_nothing_may_stop_at_once() -> None:
    assert beat(Cluster.of(1, 2), 1, want_shut_down=True) == (True, True, True)


def test_a_leader_that_wants_to_stop_gives_its_leaderships_away_first() -> None:
    cluster = Cluster.of(1, 2)
    cluster.add_topic(partition(1, 2))
    answer = beat(cluster, 1, want_shut_down=True)
    assert (answer, cluster.partition().leader, cluster.image.brokers[1].is_active) == ((True, False, False), 2, False)


def test_a_leader_may_stop_once_all_others_have_read_that_it_leads_no_more() -> None:
    cluster = Cluster.of(1, 2)
    cluster.add_topic(partition(1, 2))
    beat(cluster, 2)
    beat(cluster, 1, want_shut_down=True)
    before = beat(cluster, 1, want_shut_down=True)
    beat(cluster, 2)
    after = beat(cluster, 1, want_shut_down=True)
    assert (before, after) == ((True, False, False), (True, True, True))


def test_a_leader_that_is_alone_stops_with_its_second_heartbeat() -> None:
    cluster = Cluster.of(1)
    cluster.add_topic(partition(1))
    first = beat(cluster, 1, want_shut_down=True)
    second = beat(cluster, 1, want_shut_down=True)
    assert (first, second, cluster.partition().elr) == ((True, False, False), (True, True, True), (1,))


def test_a_fenced_broker_may_stop_at_once_and_nothing_is_written() -> None:
    cluster = Cluster.of()
    cluster.add_broker(1, is_fenced=True)
    decision = decide(cluster, 1, want_shut_down=True)
    assert (decision.response.should_shut_down, decision.records) == (True, ())


def test_a_broker_that_has_begun_to_stop_serves_again_only_under_a_new_epoch() -> None:
    cluster = Cluster.of(1)
    cluster.add_topic(partition(1))
    beat(cluster, 1, want_shut_down=True)
    beat(cluster, 1, want_shut_down=True)
    assert (beat(cluster, 1), cluster.partition().leader) == ((True, True, False), -1)


# -- folders ----------------------------------------------------------------------------------------------------------


def test_a_folder_that_failed_costs_the_leaderships_in_it_only() -> None:
    cluster = Cluster.of(2)
    cluster.add_broker(1, folders=2)
    cluster.add_topic(
        partition(1, 2, directories=(directory(1, 0), directory(2))),
        partition(1, 2, index=1, directories=(directory(1, 1), directory(2))),
    )
    beat(cluster, 1, offline_log_dirs=(directory(1, 1),))
    leaders = [one.leader for one in cluster.image.topics.by_name["t"].partitions.values()]
    assert (leaders, cluster.image.brokers[1].log_dirs) == ([1, 2], (directory(1, 0),))


def test_a_folder_that_is_known_to_be_offline_is_not_told_again() -> None:
    assert decide(Cluster.of(1), 1, offline_log_dirs=(directory(1, 7),)).records == ()


def test_nobody_leads_from_a_folder_that_fails_while_its_broker_is_unfenced() -> None:
    cluster = Cluster.of()
    cluster.add_broker(1, is_fenced=True)
    cluster.add_topic(partition(1, leader=-1))
    beat(cluster, 1, offline_log_dirs=(directory(1),))
    assert cluster.partition().leader == -1


def test_cordoned_folders_are_kept_once_they_are_told() -> None:
    cluster = Cluster.of(1)
    beat(cluster, 1, cordoned_log_dirs=(directory(1),))
    assert cluster.image.brokers[1].registration.cordoned_log_dirs == (directory(1),)


# -- silence ----------------------------------------------------------------------------------------------------------


def fence(cluster: Cluster, now_ms: int) -> int | None:
    response: int | None = cluster.apply(SilentBrokers(cluster.sessions).decide(cluster.image, CONFIG, at(now_ms)))
    return response


def test_a_silent_broker_is_fenced_when_its_session_is_over() -> None:
    cluster = Cluster.of(1, 2)
    cluster.add_topic(partition(1, 2))
    beat(cluster, 1, now_ms=100)
    fenced = (fence(cluster, 100 + SESSION_MS), fence(cluster, 101 + SESSION_MS))
    assert (fenced, cluster.partition().leader) == ((None, 1), 2)


def test_the_longest_silent_broker_is_fenced_first_and_one_at_a_time() -> None:
    cluster = Cluster.of(1, 2)
    beat(cluster, 2, now_ms=100)
    beat(cluster, 1, now_ms=200)
    assert [fence(cluster, 20_000) for _ in range(3)] == [2, 1, None]


def test_a_broker_with_many_partitions_leaves_them_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silent_brokers, "AT_ONCE", 2)
    cluster = Cluster.of(1, 2)
    cluster.add_topic(*(partition(1, 2, index=index) for index in range(5)))
    beat(cluster, 1, now_ms=100)
    silent = SilentBrokers(cluster.sessions)
    told = []
    for _ in range(3):
        fenced = cluster.apply(silent.decide(cluster.image, CONFIG, at(20_000)))
        leaders = [cluster.partition(index).leader for index in range(5)]
        told.append((fenced, leaders.count(2), cluster.image.brokers[1].is_fenced, silent.is_at_work))
    assert told == [(None, 2, False, True), (None, 4, False, True), (1, 5, True, False)]


def test_a_broker_that_registers_anew_while_it_is_fenced_keeps_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silent_brokers, "AT_ONCE", 2)
    cluster = Cluster.of(1, 2)
    cluster.add_topic(*(partition(1, 2, index=index) for index in range(5)))
    beat(cluster, 1, now_ms=100)
    silent = SilentBrokers(cluster.sessions)
    cluster.apply(silent.decide(cluster.image, CONFIG, at(20_000)))
    cluster.add_broker(1)
    assert (silent.decide(cluster.image, CONFIG, at(20_000)).records, silent.is_at_work) == ((), False)


def test_a_session_of_an_earlier_registration_fences_nobody() -> None:
    cluster = Cluster.of(1)
    beat(cluster, 1, now_ms=100)
    cluster.add_broker(1)
    assert fence(cluster, 20_000) is None


def test_a_new_active_controller_gives_every_broker_that_is_alive_a_full_session() -> None:
    cluster = Cluster.of(1)
    cluster.add_broker(2, is_fenced=True)
    sessions = BrokerSessions.begin(cluster.image.cluster, timeout_ms=SESSION_MS, now=at(50_000))
    assert (sessions.next_deadline_ms(), sessions.is_valid(2, cluster.epoch(2), at(50_000))) == (59_001, False)
