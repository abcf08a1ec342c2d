"""Elections that are asked for, and those that time brings."""

from __future__ import annotations

from typing import Any

import pytest
from cluster_in_memory import CONFIG, Cluster, partition

from reference_broker.controller.elections import decide_balance, decide_elections, decide_unclean_elections
from reference_broker.metadata.topics import PartitionImage
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.elect_leaders_request import ElectLeadersRequest, TopicPartitions
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.refusal import KafkaError

PREFERRED, UNCLEAN = 0, 1


def elect(cluster: Cluster, kind: int, *named: tuple[str, tuple[int, ...]], is_for_all: bool = False) -> Any:
    """{(topic, index): error code}."""
    topics = tuple(TopicPartitions(topic=TopicName(name), partitions=indexes) for name, indexes in named)
    request = ElectLeadersRequest(election_type=kind, topic_partitions=None if is_for_all else topics)
    response = cluster.apply(decide_elections(cluster.image, CONFIG, request))
    return {
        (topic.topic, one.partition_id): one.error_code
        for topic in response.replica_election_results
        for one in topic.partition_result
    }


@pytest.mark.parametrize(
    ("one", "kind", "code", "leader"),
    [
        (partition(1, 2, 3, leader=2), PREFERRED, ErrorCode.NONE, 1),
        (partition(1, 2, 3), PREFERRED, ErrorCode.ELECTION_NOT_NEEDED, 1),
        (partition(1, 2, 3, isr=(2, 3)), PREFERRED, ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE, 2),
        (partition(9, 2, 3, isr=(2, 3)), PREFERRED, ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE, 2),
        (partition(1, 2, 3), UNCLEAN, ErrorCode.ELECTION_NOT_NEEDED, 1),
        (partition(9, 2, 3, isr=(9,), leader=-1), UNCLEAN, ErrorCode.NONE, 2),
        (partition(9, isr=(9,), leader=-1), UNCLEAN, ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE, -1),
    ],
    ids=str,
)
def test_an_election_is_held_where_it_is_needed_and_possible(
    one: PartitionImage, kind: int, code: ErrorCode, leader: int
) -> None:
    cluster = Cluster.of(1, 2, 3)
    cluster.add_topic(one)
    codes = elect(cluster, kind, ("t", (0,)))
    assert (codes, cluster.partition().leader) == ({("t", 0): code}, leader)


def test_what_is_not_there_has_no_leader_to_elect() -> None:
    cluster = Cluster.of(1)
    cluster.add_topic(partition(1))
    codes = elect(cluster, PREFERRED, ("t", (5,)), ("u", (0,)))
    assert set(codes.values()) == {ErrorCode.UNKNOWN_TOPIC_OR_PARTITION}


def test_for_all_partitions_only_those_that_need_an_election_are_answered() -> None:
    cluster = Cluster.of(1, 2)
    cluster.add_topic(partition(1, 2), partition(1, 2, leader=2, index=1))
    assert elect(cluster, PREFERRED, is_for_all=True) == {("t", 1): ErrorCode.NONE}


def test_an_unknown_kind_of_election_is_refused() -> None:
    with pytest.raises(KafkaError) as refused:
        elect(Cluster.of(1), 7, ("t", (0,)))
    assert refused.value.code is ErrorCode.INVALID_REQUEST


def test_balancing_gives_preferred_replicas_in_sync_their_leaderships_back() -> None:
    cluster = Cluster.of(1, 2)
    cluster.add_topic(partition(1, 2, leader=2), partition(1, 2, leader=2, isr=(2,), index=1))
    is_more_left = cluster.apply(decide_balance(cluster.image, CONFIG))
    leaders = [one.leader for one in cluster.image.topics.by_name["t"].partitions.values()]
    assert (is_more_left, leaders) == (False, [1, 2])


@pytest.mark.parametrize(("allowed", "leader"), [("true", 2), ("false", -1)])
def test_only_topics_that_allow_it_get_an_unclean_leader_in_time(allowed: str, leader: int) -> None:
    cluster = Cluster.of(1, 2)
    cluster.add_topic(partition(9, 2, isr=(9,), leader=-1), unclean_leader_election_enable=allowed)
    cluster.apply(decide_unclean_elections(cluster.image, CONFIG))
    assert cluster.partition().leader == leader
