"""Whatever is decided in whatever order: leaders are alive and in sync, epochs grow, replicas in sync are replicas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster_in_memory import CONFIG, SESSION_MS, Cluster, at, directory, incarnation, partition, topic_id_of
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reference_broker.controller.alter_partition import decide_isr_changes
from reference_broker.controller.decision import Decision
from reference_broker.controller.elections import decide_balance, decide_elections, decide_unclean_elections
from reference_broker.controller.heartbeat import decide_heartbeat
from reference_broker.controller.log_dirs import decide_assignments
from reference_broker.controller.reassignment import decide_reassignments
from reference_broker.controller.registration import decide_registration, decide_unregistration
from reference_broker.controller.silent_brokers import SilentBrokers
from reference_broker.metadata.topics import NO_LEADER, PartitionImage
from reference_broker.wire.messages.alter_partition_reassignments_request import (
    AlterPartitionReassignmentsRequest,
    ReassignablePartition,
    ReassignableTopic,
)
from reference_broker.wire.messages.alter_partition_request import (
    AlterPartitionRequest,
    BrokerState,
    PartitionData,
    TopicData,
)
from reference_broker.wire.messages.assign_replicas_to_dirs_request import (
    AssignReplicasToDirsRequest,
    DirectoryData,
)
from reference_broker.wire.messages.assign_replicas_to_dirs_request import PartitionData as AssignedPartition
from reference_broker.wire.messages.assign_replicas_to_dirs_request import TopicData as AssignedTopic
from reference_broker.wire.messages.broker_heartbeat_request import BrokerHeartbeatRequest
from reference_broker.wire.messages.broker_registration_request import BrokerRegistrationRequest, Feature
from reference_broker.wire.messages.elect_leaders_request import ElectLeadersRequest, TopicPartitions
from reference_broker.wire.primitives import BrokerId, TopicName
from reference_broker.wire.refusal import KafkaError

BROKERS = (1, 2, 3, 4)
FOLDERS = 2
FEATURES = (
    Feature(name="metadata.version", min_supported_version=7, max_supported_version=30),
    Feature(name="eligible.leader.replicas.version", min_supported_version=0, max_supported_version=1),
    Feature(name="kraft.version", min_supported_version=0, max_supported_version=1),
)


class Life:
    """A cluster to which things happen. Each method takes a broker, a partition and a choice, and decides."""

    def __init__(self, *, has_elr: bool, is_unclean_allowed: bool, min_isr: int) -> None:
        self.cluster = Cluster.of(has_elr=has_elr)
        for broker_id in BROKERS:
            self.cluster.add_broker(broker_id, folders=FOLDERS)
        one = partition(1, 2, 3, leader_epoch=0, partition_epoch=0)
        two = partition(2, 3, 4, index=1, leader_epoch=0, partition_epoch=0)
        self.cluster.add_topic(
            one,
            two,
            unclean_leader_election_enable=str(is_unclean_allowed).lower(),
            min_insync_replicas=str(min_isr),
        )
        self.now_ms = 0
        self.starts = 1

    @property
    def partitions(self) -> list[PartitionImage]:
        return list(self.cluster.image.topics.by_name["t"].partitions.values())

    def _epoch(self, broker_id: int) -> int:
        return self.cluster.epoch(broker_id) if broker_id in self.cluster.image.brokers else -1

    def register(self, broker_id: int, index: int, choice: int) -> Decision:
        self.starts += 1
        request = BrokerRegistrationRequest(
            broker_id=BrokerId(broker_id),
            cluster_id="C",
            incarnation_id=incarnation(self.starts % 250 if choice % 3 else 1),
            features=FEATURES,
            log_dirs=tuple(directory(broker_id, number) for number in range(FOLDERS)),
            previous_broker_epoch=self._epoch(broker_id) if choice % 2 else -1,
        )
        return decide_registration(
            self.cluster.image,
            CONFIG,
            request,
            version=4,
            kraft_version=1,
            sessions=self.cluster.sessions,
            next_offset=self.cluster.next_offset,
            now=at(self.now_ms),
        )

    def beat(self, broker_id: int, index: int, choice: int) -> Decision:
        request = BrokerHeartbeatRequest(
            broker_id=BrokerId(broker_id),
            broker_epoch=self._epoch(broker_id),
            current_metadata_offset=self.cluster.next_offset - 1,
            want_fence=choice % 5 == 1,
            want_shut_down=choice % 5 == 2,
            offline_log_dirs=(directory(broker_id, index),) if choice % 5 == 3 else (),
        )
        return decide_heartbeat(
            self.cluster.image,
            CONFIG,
            request,
            sessions=self.cluster.sessions,
            next_offset=self.cluster.next_offset,
            now=at(self.now_ms),
        )

    def unregister(self, broker_id: int, index: int, choice: int) -> Decision:
        return decide_unregistration(self.cluster.image, CONFIG, broker_id, sessions=self.cluster.sessions)

    def wait(self, broker_id: int, index: int, choice: int) -> Decision:
        self.now_ms += SESSION_MS // 2
        return SilentBrokers(self.cluster.sessions).decide(self.cluster.image, CONFIG, at(self.now_ms))

    def alter_isr(self, broker_id: int, index: int, choice: int) -> Decision:
        one = self.partitions[index]
        isr = [replica for at_bit, replica in enumerate(one.replicas) if choice >> at_bit & 1 or replica == one.leader]
        asked = PartitionData(
            partition_index=index,
            leader_epoch=one.leader_epoch,
            partition_epoch=one.partition_epoch,
            new_isr_with_epochs=tuple(BrokerState(broker_id=BrokerId(each), broker_epoch=-1) for each in isr),
        )
        request = AlterPartitionRequest(
            broker_id=BrokerId(one.leader),
            broker_epoch=self._epoch(one.leader),
            topics=(TopicData(topic_id=topic_id_of("t"), partitions=(asked,)),),
        )
        return decide_isr_changes(self.cluster.image, CONFIG, request, version=3)

    def elect(self, broker_id: int, index: int, choice: int) -> Decision:
        named = (TopicPartitions(topic=TopicName("t"), partitions=(index,)),)
        request = ElectLeadersRequest(election_type=choice % 2, topic_partitions=named)
        return decide_elections(self.cluster.image, CONFIG, request)

    def balance(self, broker_id: int, index: int, choice: int) -> Decision:
        return decide_balance(self.cluster.image, CONFIG)

    def elect_uncleanly(self, broker_id: int, index: int, choice: int) -> Decision:
        return decide_unclean_elections(self.cluster.image, CONFIG)

    def reassign(self, broker_id: int, index: int, choice: int) -> Decision:
        wanted = tuple(BrokerId(one) for at_bit, one in enumerate(BROKERS) if choice >> at_bit & 1)
        asked = ReassignablePartition(partition_index=index, replicas=wanted or None)
        topic = ReassignableTopic(name=TopicName("t"), partitions=(asked,))
        return decide_reassignments(self.cluster.image, CONFIG, AlterPartitionReassignmentsRequest(topics=(topic,)))

    def assign(self, broker_id: int, index: int, choice: int) -> Decision:
        topic = AssignedTopic(topic_id=topic_id_of("t"), partitions=(AssignedPartition(partition_index=index),))
        folder = DirectoryData(id=directory(broker_id, choice % (FOLDERS + 1)), topics=(topic,))
        request = AssignReplicasToDirsRequest(
            broker_id=BrokerId(broker_id), broker_epoch=self._epoch(broker_id), directories=(folder,)
        )
        return decide_assignments(self.cluster.image, CONFIG, request)

    def happen(self, name: str, broker_id: int, index: int, choice: int) -> None:
        """One thing happens; a refusal changes nothing."""
        decide: Callable[[int, int, int], Decision] = getattr(self, name)
        try:
            decision = decide(broker_id, index, choice)
        except KafkaError:
            return
        self.cluster.apply(decision)


HAPPENINGS = (
    "register",
    "beat",
    "beat",
    "beat",
    "unregister",
    "wait",
    "alter_isr",
    "alter_isr",
    "elect",
    "balance",
    "elect_uncleanly",
    "reassign",
    "assign",
)
STEPS = st.lists(
    st.tuples(st.sampled_from(HAPPENINGS), st.sampled_from(BROKERS), st.integers(0, 1), st.integers(0, 15)),
    max_size=40,
)


def assert_legal(life: Life, one: PartitionImage) -> None:
    """What holds of every partition at every time."""
    has_elr = life.cluster.image.has_elr
    replicas, isr, elr = set(one.replicas), set(one.isr), set(one.elr)
    assert len(replicas) == len(one.replicas) == len(one.directories)
    assert isr <= replicas
    assert elr <= replicas
    assert not isr & elr
    assert isr or has_elr
    assert set(one.adding_replicas) | set(one.removing_replicas) <= replicas
    if one.leader == NO_LEADER:
        return
    broker = life.cluster.image.brokers[one.leader]
    assert one.leader in isr
    assert broker.is_active
    assert broker.has_online(one.directory_of(one.leader))


@example(
    steps=[*(("register", broker_id, 0, 1) for broker_id in (2, 3, 4)), ("beat", 1, 0, 2), *[("beat", 1, 0, 0)] * 2],
    has_elr=False,
    is_unclean_allowed=False,
    min_isr=1,
)  # a broker that had begun to stop was unfenced again, and led
@given(STEPS, st.booleans(), st.booleans(), st.integers(1, 3))
@settings(max_examples=150)
def test_every_partition_stays_legal(steps: Any, has_elr: bool, is_unclean_allowed: bool, min_isr: int) -> None:
    life = Life(has_elr=has_elr, is_unclean_allowed=is_unclean_allowed, min_isr=min_isr)
    for step in steps:
        life.happen(*step)
        for one in life.partitions:
            assert_legal(life, one)


@given(STEPS, st.booleans(), st.booleans(), st.integers(1, 3))
@settings(max_examples=150)
def test_epochs_grow_with_every_change(steps: Any, has_elr: bool, is_unclean_allowed: bool, min_isr: int) -> None:
    life = Life(has_elr=has_elr, is_unclean_allowed=is_unclean_allowed, min_isr=min_isr)
    for step in steps:
        before = life.partitions
        life.happen(*step)
        for old, new in zip(before, life.partitions, strict=True):
            assert new == old or new.partition_epoch > old.partition_epoch
            assert new.leader == old.leader or new.leader_epoch > old.leader_epoch


@given(STEPS, st.integers(1, 3))
@settings(max_examples=150)
def test_without_unclean_elections_a_leader_was_in_sync_or_eligible(steps: Any, min_isr: int) -> None:
    life = Life(has_elr=True, is_unclean_allowed=False, min_isr=min_isr)
    for name, broker_id, index, choice in steps:
        before = life.partitions
        life.happen(name, broker_id, index, choice & ~1 if name == "elect" else choice)
        for old, new in zip(before, life.partitions, strict=True):
            trusted = new.isr if name == "alter_isr" else (*old.isr, *old.elr)
            assert new.leader in (NO_LEADER, old.leader, *trusted) or new.leader_recovery_state == 1
