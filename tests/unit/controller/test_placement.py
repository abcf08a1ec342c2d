"""Replicas spread over racks first, then over brokers; brokers that are alive come first and lead."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from cluster_in_memory import Cluster, directory
from hypothesis import given
from hypothesis import strategies as st

from reference_broker.controller.placement import place
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.refusal import KafkaError


def placed(cluster: Cluster, count: int, factor: int, seed: int = 0) -> list[tuple[int, ...]]:
    return place(cluster.image.cluster, random.Random(seed), count=count, factor=factor)


@given(st.integers(0, 1000), st.integers(1, 20))
def test_each_partition_has_a_replica_in_each_rack(seed: int, count: int) -> None:
    cluster = Cluster.of(1, 2, 3, 4, 5, 6, racks="aabbcc")
    rack = {1: "a", 2: "a", 3: "b", 4: "b", 5: "c", 6: "c"}
    assert all(len({rack[one] for one in replicas}) == 3 for replicas in placed(cluster, count, 3, seed))


@given(st.integers(0, 1000), st.integers(1, 5))
def test_no_broker_has_two_replicas_of_a_partition(seed: int, factor: int) -> None:
    cluster = Cluster.of(1, 2, 3, 4, 5, racks="aaabb")
    assert all(len(set(replicas)) == factor for replicas in placed(cluster, 12, factor, seed))


@given(st.integers(0, 1000))
def test_leaders_are_spread_evenly(seed: int) -> None:
    leaders = Counter(replicas[0] for replicas in placed(Cluster.of(1, 2, 3), 9, 2, seed))
    assert leaders == {1: 3, 2: 3, 3: 3}


@given(st.integers(0, 1000))
def test_all_brokers_of_a_rack_take_their_turn(seed: int) -> None:
    cluster = Cluster.of(1, 2, 3, 4, 5, 6, 7, 8, 9, racks="aaabbbccc")
    assert sorted(replicas[0] for replicas in placed(cluster, 9, 1, seed)) == [1, 2, 3, 4, 5, 6, 7, 8, 9]


@given(st.integers(0, 1000))
def test_a_fenced_broker_follows_where_it_must_and_never_leads(seed: int) -> None:
    cluster = Cluster.of(1, 2)
    cluster.add_broker(3, is_fenced=True)
    all_placed = placed(cluster, 6, 3, seed)
    assert all(replicas[0] != 3 and set(replicas) == {1, 2, 3} for replicas in all_placed)


@given(st.integers(0, 1000))
def test_one_broker_alive_among_many_leads_all(seed: int) -> None:
    cluster = Cluster.of(1)
    for broker_id in (2, 3):
        cluster.add_broker(broker_id, is_fenced=True)
    assert [replicas[0] for replicas in placed(cluster, 5, 2, seed)] == [1] * 5


def test_a_broker_that_stops_or_is_cordoned_gets_no_replicas() -> None:
    cluster = Cluster.of(1)
    cluster.add_broker(2, in_controlled_shutdown=True)
    cluster.add_broker(3, cordoned_log_dirs=(directory(3),))
    assert placed(cluster, 2, 1) == [(1,), (1,)]


@pytest.mark.parametrize(
    ("cluster", "factor", "text"),
    [
        (Cluster.of(1), 0, "must be positive"),
        (Cluster.of(1), 2, "only 1 broker"),
        (Cluster.of(), 1, "All brokers are currently fenced"),
    ],
)
def test_too_few_brokers_are_refused(cluster: Cluster, factor: int, text: str) -> None:
    with pytest.raises(KafkaError, match=text) as refused:
        placed(cluster, 1, factor)
    assert refused.value.code is ErrorCode.INVALID_REPLICATION_FACTOR
