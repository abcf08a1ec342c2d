"""The controller accepts a change of the ISR only from the current leader, for the current state of the partition.

**Claim** A change of the ISR (AlterPartition) is refused, and changes nothing, if it has a partition epoch or leader
epoch other than the current one, is sent with an old broker epoch of the leader or by a follower, leaves the leader
out, adds a node that is not a replica, or contains a follower with an old broker epoch. A valid change is accepted: the
ISR is the requested one, and the partition epoch increases by one. A follower that it leaves out rejoins the ISR by
itself. In the metadata log the leader is always in the ISR, and epochs never decrease.

**Why it matters** The ISR decides which records are acknowledged; with a change of the ISR, a former leader could
acknowledge records that only it has.

**Kafka says** KIP-497 (AlterPartition), KIP-841 (fenced replicas stay out of the ISR), KIP-903 (replicas with a stale
broker epoch stay out of the ISR).

**Cannot see** concurrent requests that overtake each other.

**Rejects** tests/plants/clusters/test_isr_checks.py::test_a_check_rejects_the_bug,
tests/plants/brokers/changes_the_isr_for_a_broker_of_before.py,
tests/plants/brokers/changes_the_isr_for_a_deposed_leader.py, tests/plants/brokers/changes_the_isr_for_a_follower.py,
tests/plants/brokers/changes_the_isr_of_an_old_state.py, tests/plants/brokers/leaves_the_leader_out_of_the_isr.py,
tests/plants/brokers/takes_replicas_of_before_into_the_isr.py, tests/plants/brokers/takes_strangers_into_the_isr.py
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from harness.clients.controllers import active_controller, controllers_of
from harness.clients.leader_connections import RawAdmin
from harness.clients.node_client import NodeClient, until
from harness.judging.outcome import BrokenPromise, Unproven, require
from harness.pytest_plugin.names import Names
from harness.replicas.collecting import metadata_logs_of
from harness.replicas.metadata_state import PartitionRegistration, replayed, wrongs
from harness.targets.target import Cluster
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_partition_request import (
    AlterPartitionRequest,
    BrokerState,
    PartitionData,
    TopicData,
)
from reference_broker.wire.primitives import BrokerId, Uuid

pytestmark = [
    pytest.mark.cluster(nodes=3, controllers=1),
    pytest.mark.feature("KIP-497"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(497, 841, 903),
]
STRANGER = 99
BACK_WITHIN_S = 30.0
VERSION = 3
MOST_CONTROLLERS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A partition with three replicas as the controller knows it, and the brokers' epochs."""

    topic_id: bytes
    partition: PartitionRegistration
    broker_epochs: Mapping[int, int]

    @property
    def leader(self) -> int:
        """The leader of the partition, which may change the ISR."""
        return self.partition.leader

    @property
    def followers(self) -> tuple[int, ...]:
        """The other replicas."""
        return tuple(one for one in self.partition.replicas if one != self.leader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The values of an AlterPartition request that differ from the valid ones."""

    sender: int | None = None
    isr: tuple[int, ...] | None = None
    partition_epoch: int = 0
    """The difference from the current partition epoch; the fields below are differences, too."""
    leader_epoch: int = 0
    broker_epoch: int = 0
    follower_epoch: int = 0


REFUSED: dict[str, tuple[Callable[[Known], Change], ErrorCode]] = {
    "an old partition epoch": (lambda known: Change(partition_epoch=-1), ErrorCode.INVALID_UPDATE_VERSION),
    "a coming partition epoch": (lambda known: Change(partition_epoch=1), ErrorCode.NOT_CONTROLLER),
    "an old leader epoch": (lambda known: Change(leader_epoch=-1), ErrorCode.FENCED_LEADER_EPOCH),
    "a coming leader epoch": (lambda known: Change(leader_epoch=1), ErrorCode.NOT_CONTROLLER),
    "an old broker epoch": (lambda known: Change(broker_epoch=-1), ErrorCode.STALE_BROKER_EPOCH),
    "a follower's request": (lambda known: Change(sender=known.followers[0]), ErrorCode.INVALID_REQUEST),
    "an ISR without the leader": (lambda known: Change(isr=known.followers), ErrorCode.INVALID_REQUEST),
    "an ISR with a stranger": (lambda known: Change(isr=(known.leader, STRANGER)), ErrorCode.INVALID_REQUEST),
    "a follower's old broker epoch": (lambda known: Change(follower_epoch=-1), ErrorCode.INELIGIBLE_REPLICA),
}


def known_of(cluster: Cluster, topic: str, controller: int) -> Known:
    """Partition 0 of a topic and the brokers' epochs, from the controller's metadata log."""
    (log,) = metadata_logs_of(cluster, [controller])
    state = replayed(log.records)
    found = [topic_id for topic_id, name in state.topics.items() if name == topic]
    if not found:
        raise Unproven(f"topic {topic} does not stand in the metadata log of node {controller}")
    epochs = {number: broker.epoch for number, broker in state.brokers.items()}
    return Known(topic_id=found[0], partition=state.partitions[found[0], 0], broker_epochs=epochs)


def ask(client: NodeClient, known: Known, change: Change) -> tuple[ErrorCode, int]:
    """Requests a change, by default to the leader and its first follower as the ISR; returns (error, partition
    epoch)."""
    sender = known.leader if change.sender is None else change.sender
    isr = (known.leader, known.followers[0]) if change.isr is None else change.isr
    states = tuple(
        BrokerState(
            broker_id=BrokerId(one),
            broker_epoch=known.broker_epochs.get(one, 1) + (change.follower_epoch if one != sender else 0),
        )
        for one in isr
    )
    partition = PartitionData(
        partition_index=0,
        leader_epoch=known.partition.leader_epoch + change.leader_epoch,
        partition_epoch=known.partition.partition_epoch + change.partition_epoch,
        new_isr_with_epochs=states,
    )
    request = AlterPartitionRequest(
        broker_id=BrokerId(sender),
        broker_epoch=known.broker_epochs[sender] + change.broker_epoch,
        topics=(TopicData(topic_id=Uuid(known.topic_id), partitions=(partition,)),),
    )
    answer = client.ask(ApiKey.ALTER_PARTITION, VERSION, request)
    if answer.error_code:
        return ErrorCode(answer.error_code), -1
    (found,) = answer.topics[0].partitions
    return ErrorCode(found.error_code), int(found.partition_epoch)


def asked(cluster: Cluster, topic: str, make: Callable[[Known], Change]) -> tuple[int, Known, ErrorCode, int]:
    """Requests a change from the active controller; returns (controller, what it knew before, error, partition epoch).

    If another controller has become active meanwhile, the first one may have refused whatever it was sent: then the
    request is sent again, to the new one.
    """
    for _ in range(MOST_CONTROLLERS):
        controller = active_controller(cluster)
        known = known_of(cluster, topic, controller)
        with NodeClient(controllers_of(cluster)[controller]) as client:
            error, epoch = ask(client, known, make(known))
        if active_controller(cluster) == controller:
            return controller, known, error, epoch
    raise Unproven(f"none of {MOST_CONTROLLERS} active controllers stayed so for one request")


@pytest.mark.claim("M4", "D5")
@pytest.mark.parametrize("what", REFUSED)
def test_a_change_that_does_not_fit_is_refused(cluster: Cluster, admin: RawAdmin, names: Names, what: str) -> None:
    topic = names.topic("orders")
    admin.create_topic(topic, 1, 3)
    make, wanted = REFUSED[what]
    controller, known, error, _ = asked(cluster, topic, make)
    require(error, wanted, f"the answer to a change of the ISR with {what}")
    require(known_of(cluster, topic, controller).partition, known.partition, "the partition after a refused change")


@pytest.mark.claim("M4", "L3")
def test_a_change_that_fits_is_taken(cluster: Cluster, admin: RawAdmin, names: Names) -> None:
    topic = names.topic("orders")
    admin.create_topic(topic, 1, 3)
    controller, known, error, epoch = asked(cluster, topic, lambda known: Change())
    require(error, ErrorCode.NONE, "the answer to a change of the ISR by the leader")
    require(epoch, known.partition.partition_epoch + 1, "the partition epoch that is answered")
    (log,) = metadata_logs_of(cluster, [controller])
    wanted = (known.topic_id, epoch, {known.leader, known.followers[0]})
    state = replayed([])
    told = []
    for one in log.records:
        state.apply(one.message)
        if (now := state.partitions.get((known.topic_id, 0))) is not None:
            told.append((known.topic_id, now.partition_epoch, set(now.isr)))
    require(wanted in told, True, f"that partition epoch {epoch} has the ISR that was asked for")
    until(
        lambda: len(cluster.view(topics=[topic]).isr.get((topic, 0), ())) == 3,
        BACK_WITHIN_S,
        f"the follower that was left out is in the ISR of {topic}-0 again",
    )
    (log,) = metadata_logs_of(cluster, [controller])
    # Only for this topic: other checks on the same cluster allow unclean leaders.
    if found := list(wrongs(log.records, topic=topic)):
        raise BrokenPromise(f"The metadata log says what must not be: {found[0]}.", witness=found[:6], claim="M4")
