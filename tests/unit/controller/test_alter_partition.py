"""The leader asks for another ISR: epochs first, then whether each member may be in sync."""

from __future__ import annotations

from typing import Any

import pytest
from cluster_in_memory import CONFIG, Cluster, partition, topic_id_of

from reference_broker.controller.alter_partition import decide_isr_changes
from reference_broker.metadata.topics import PartitionImage
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_partition_request import (
    AlterPartitionRequest,
    BrokerState,
    PartitionData,
    TopicData,
)
from reference_broker.wire.messages.alter_partition_response import PartitionData as PartitionResult
from reference_broker.wire.primitives import BrokerId, Uuid
from reference_broker.wire.refusal import KafkaError


def alter(
    cluster: Cluster,
    isr: tuple[int, ...],
    *,
    sender: int = 1,
    version: int = 3,
    topic_id: Uuid | None = None,
    epochs: dict[int, int] | None = None,
    **changes: Any,
) -> PartitionResult:
    known = epochs or {}
    states = tuple(
        BrokerState(
            broker_id=BrokerId(one),
            broker_epoch=known.get(one, cluster.epoch(one) if one in cluster.image.brokers else 0),
        )
        for one in isr
    )
    fields = {
        "partition_index": 0,
        "leader_epoch": 5,
        "partition_epoch": 9,
        "new_isr": tuple(map(BrokerId, isr)),
        "new_isr_with_epochs": states if version >= 3 else (),
    }
    topic = TopicData(topic_id=topic_id or topic_id_of("t"), partitions=(PartitionData(**(fields | changes)),))
    request = AlterPartitionRequest(broker_id=BrokerId(sender), broker_epoch=cluster.epoch(sender), topics=(topic,))
    response = cluster.apply(decide_isr_changes(cluster.image, CONFIG, request, version=version))
    result: PartitionResult = response.topics[0].partitions[0]
    return result


def of_three(one: PartitionImage | None = None) -> Cluster:
    cluster = Cluster.of(1, 2, 3)
    cluster.add_topic(one or partition(1, 2, 3))
    return cluster


@pytest.mark.parametrize("version", [2, 3])
def test_an_isr_shrinks_and_the_partition_epoch_grows(version: int) -> None:
    cluster = of_three()
    result = alter(cluster, (1, 3), version=version)
    assert (result.error_code, result.isr, result.partition_epoch, cluster.partition().isr) == (0, (1, 3), 10, (1, 3))


def test_an_isr_that_stays_writes_nothing_and_is_answered() -> None:
    cluster = of_three()
    result = alter(cluster, (1, 2, 3))
    assert (result.error_code, result.partition_epoch, cluster.partition().partition_epoch) == (0, 9, 9)


@pytest.mark.parametrize(
    ("isr", "changes", "code"),
    [
        ((1,), {"topic_id": Uuid(b"x" * 16)}, ErrorCode.UNKNOWN_TOPIC_ID),
        ((1,), {"partition_index": 7}, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ((1,), {"leader_epoch": 6}, ErrorCode.NOT_CONTROLLER),
        ((1,), {"partition_epoch": 10}, ErrorCode.NOT_CONTROLLER),
        ((1,), {"leader_epoch": 4, "sender": 2}, ErrorCode.FENCED_LEADER_EPOCH),
        ((2,), {"sender": 2, "partition_epoch": 8}, ErrorCode.INVALID_REQUEST),
        ((1,), {"partition_epoch": 8}, ErrorCode.INVALID_UPDATE_VERSION),
        ((1, 1), {}, ErrorCode.INVALID_REQUEST),
        ((1, 4), {}, ErrorCode.INVALID_REQUEST),
        ((2, 3), {}, ErrorCode.INVALID_REQUEST),
        ((1,), {"leader_recovery_state": 1}, ErrorCode.INVALID_REQUEST),
        ((1,), {"leader_recovery_state": 2}, ErrorCode.INVALID_REQUEST),
        ((1, 2), {"epochs": {2: 77}}, ErrorCode.INELIGIBLE_REPLICA),
        ((1, 2), {"epochs": {2: -1}}, ErrorCode.NONE),
    ],
    ids=str,
)
def test_a_change_that_cannot_be_is_refused(isr: tuple[int, ...], changes: dict[str, Any], code: ErrorCode) -> None:
    assert alter(of_three(), isr, **changes).error_code == code


def test_a_fenced_broker_may_not_be_in_sync() -> None:
    cluster = of_three(partition(1, 2, 3, isr=(1, 2)))
    cluster.add_broker(3, is_fenced=True)
    assert alter(cluster, (1, 2, 3)).error_code == ErrorCode.INELIGIBLE_REPLICA


def test_a_broker_that_stops_may_not_be_in_sync() -> None:
    cluster = of_three(partition(1, 2, 3, isr=(1, 2)))
    cluster.add_broker(3, in_controlled_shutdown=True)
    assert alter(cluster, (1, 2, 3)).error_code == ErrorCode.INELIGIBLE_REPLICA


def test_a_recovering_leader_says_that_it_has_recovered() -> None:
    cluster = of_three(partition(1, 2, 3, isr=(1,), leader_recovery_state=1))
    alter(cluster, (1,))
    assert cluster.partition().leader_recovery_state == 0


def test_a_recovering_leader_may_not_take_others_in() -> None:
    cluster = of_three(partition(1, 2, 3, isr=(1,), leader_recovery_state=1))
    assert alter(cluster, (1, 2), leader_recovery_state=1).error_code == ErrorCode.INVALID_REQUEST


def test_an_isr_that_completes_a_reassignment_may_cost_the_leadership() -> None:
    cluster = of_three(partition(3, 1, isr=(1,), adding_replicas=(3,), removing_replicas=(1,)))
    result = alter(cluster, (1, 3))
    one = cluster.partition()
    assert (result.error_code, one.leader, one.replicas, one.isr) == (ErrorCode.NEW_LEADER_ELECTED, 3, (3,), (3,))


def test_a_sender_under_another_epoch_is_refused_whole() -> None:
    cluster = of_three()
    request = AlterPartitionRequest(broker_id=BrokerId(1), broker_epoch=99)
    with pytest.raises(KafkaError) as refused:
        decide_isr_changes(cluster.image, CONFIG, request, version=3)
    assert refused.value.code is ErrorCode.STALE_BROKER_EPOCH
