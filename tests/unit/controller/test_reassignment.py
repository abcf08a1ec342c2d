"""Reassignments begin, are replaced, are cancelled and are listed."""

from __future__ import annotations

from typing import Any

import pytest
from cluster_in_memory import CONFIG, Cluster, partition

from reference_broker.controller.reassignment import decide_reassignments, reassignments
from reference_broker.metadata.topics import PartitionImage
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_partition_reassignments_request import (
    AlterPartitionReassignmentsRequest,
    ReassignablePartition,
    ReassignableTopic,
)
from reference_broker.wire.messages.list_partition_reassignments_request import (
    ListPartitionReassignmentsRequest,
    ListPartitionReassignmentsTopics,
)
from reference_broker.wire.primitives import BrokerId, TopicName

MOVING = partition(3, 4, 1, 2, isr=(1, 2), adding_replicas=(3, 4), removing_replicas=(1, 2))
"""On the way from 1, 2 to 3, 4."""


def reassign(
    cluster: Cluster, replicas: tuple[int, ...] | None, *, topic: str = "t", index: int = 0, may_change: bool = True
) -> int:
    """The error code."""
    wanted = None if replicas is None else tuple(map(BrokerId, replicas))
    asked = ReassignablePartition(partition_index=index, replicas=wanted)
    request = AlterPartitionReassignmentsRequest(
        allow_replication_factor_change=may_change,
        topics=(ReassignableTopic(name=TopicName(topic), partitions=(asked,)),),
    )
    response = cluster.apply(decide_reassignments(cluster.image, CONFIG, request))
    code: int = response.responses[0].partitions[0].error_code
    return code


def of_five(one: PartitionImage | None = None, **settings: str) -> Cluster:
    cluster = Cluster.of(1, 2, 3, 4, 5)
    cluster.add_topic(one or partition(1, 2), **settings)
    return cluster


@pytest.mark.parametrize(
    ("before", "wanted", "after"),
    [
        (partition(1, 2), (3, 4), ((3, 4, 1, 2), (3, 4), (1, 2))),
        (partition(1, 2), (2, 3), ((2, 3, 1), (3,), (1,))),
        (partition(1, 2), (1, 2, 3), ((1, 2, 3), (3,), ())),
        (partition(1, 2), (2, 1), ((2, 1), (), ())),
        (partition(1, 2), (2,), ((2,), (), ())),
        (partition(1, 2, isr=(1,)), (2,), ((2, 1), (), (1,))),
        (MOVING, (3, 5), ((3, 5, 1, 2, 4), (5,), (1, 2, 4))),
        (MOVING, (1, 2), ((1, 2), (), ())),
        (MOVING, (3, 4, 1, 2), ((3, 4, 1, 2), (3, 4), ())),
    ],
    ids=str,
)
def test_new_replicas_are_added_and_old_ones_marked(
    before: PartitionImage, wanted: tuple[int, ...], after: tuple[tuple[int, ...], ...]
) -> None:
    cluster = of_five(before)
    code = reassign(cluster, wanted)
    one = cluster.partition()
    assert (code, (one.replicas, one.adding_replicas, one.removing_replicas)) == (ErrorCode.NONE, after)


def test_the_leader_stays_while_it_is_a_replica_in_sync() -> None:
    cluster = of_five()
    reassign(cluster, (2, 1))
    assert cluster.partition().leader == 1


def test_a_leader_that_goes_hands_over() -> None:
    cluster = of_five()
    reassign(cluster, (2,))
    assert (cluster.partition().leader, cluster.partition().isr) == (2, (2,))


@pytest.mark.parametrize(
    ("replicas", "where", "code"),
    [
        ((3,), {"topic": "u"}, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ((3,), {"index": 9}, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ((), {}, ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        ((3, 3), {}, ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        ((9,), {}, ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        ((-1,), {}, ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        ((3,), {"may_change": False}, ErrorCode.INVALID_REPLICATION_FACTOR),
        ((3, 4), {"may_change": False}, ErrorCode.NONE),
        (None, {}, ErrorCode.NO_REASSIGNMENT_IN_PROGRESS),
    ],
    ids=str,
)
def test_a_reassignment_that_cannot_be_is_refused(
    replicas: tuple[int, ...] | None, where: dict[str, Any], code: ErrorCode
) -> None:
    assert reassign(of_five(), replicas, **where) == code


def test_the_replication_factor_is_that_of_the_target_of_a_reassignment_in_progress() -> None:
    assert reassign(of_five(MOVING), (3, 4, 5), may_change=False) == ErrorCode.INVALID_REPLICATION_FACTOR


def test_a_cancelled_reassignment_leaves_the_replicas_of_before() -> None:
    cluster = of_five(MOVING)
    code = reassign(cluster, None)
    one = cluster.partition()
    assert (code, one.replicas, one.isr, one.adding_replicas, one.removing_replicas) == (0, (1, 2), (1, 2), (), ())


@pytest.mark.parametrize(
    ("allowed", "code"), [("true", ErrorCode.NONE), ("false", ErrorCode.INVALID_REPLICA_ASSIGNMENT)]
)
def test_a_cancel_that_loses_all_in_sync_is_an_unclean_election(allowed: str, code: ErrorCode) -> None:
    one = partition(3, 4, 1, 2, isr=(3, 4), adding_replicas=(3, 4), removing_replicas=(1, 2))
    cluster = of_five(one, unclean_leader_election_enable=allowed)
    assert reassign(cluster, None) == code


def test_reassignments_in_progress_are_listed() -> None:
    cluster = of_five(MOVING)
    response = reassignments(cluster.image, ListPartitionReassignmentsRequest(topics=None))
    (one,) = response.topics[0].partitions
    assert (one.replicas, one.adding_replicas, one.removing_replicas) == ((3, 4, 1, 2), (3, 4), (1, 2))


def test_only_named_partitions_that_are_moving_are_listed() -> None:
    cluster = of_five()
    named = (ListPartitionReassignmentsTopics(name=TopicName("t"), partition_indexes=(0, 7)),)
    assert reassignments(cluster.image, ListPartitionReassignmentsRequest(topics=named)).topics == ()
