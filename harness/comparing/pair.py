"""A node and a guest broker as two brokers of one cluster, with partitions on both.

A check gets a Pair as the fixture `pair`. The check plays the guest (harness/clients/guest_broker.py), so it decides
when a follower has fetched, what a leader serves, and who leads.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

import pytest

from harness.clients.client import ClientTrouble
from harness.clients.controllers import active_controller, controllers_of
from harness.clients.guest_broker import GUEST, LISTENERS_OF, GuestBroker
from harness.clients.leader_connections import EARLIEST
from harness.clients.led_log import LedLog
from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import list_offsets
from harness.hosts.lack import Lack, Means
from harness.judging.outcome import BrokenPromise, require
from harness.pytest_plugin.lacking import skip_for
from harness.targets.target import Cluster
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_partition_reassignments_request import (
    AlterPartitionReassignmentsRequest,
    ReassignablePartition,
    ReassignableTopic,
)
from reference_broker.wire.messages.create_topics_request import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest
from reference_broker.wire.messages.elect_leaders_request import ElectLeadersRequest, TopicPartitions
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.messages.unregister_broker_request import UnregisterBrokerRequest
from reference_broker.wire.primitives import BrokerId, TopicName, Uuid

PREFERRED: Final = 0
BROKER: Final = 4
SET, DELETE = 0, 1
KNOWN_WITHIN_S: Final = 30.0
"""Time for the node to learn of a committed change."""


class Pair:
    """`node` is the id of the broker under check, which the exchange asks; `guest` is the other broker."""

    def __init__(self, exchange: Exchange, guest: GuestBroker, node: int) -> None:
        self.exchange, self.guest, self.node = exchange, guest, node
        self._topics: list[TopicName] = []

    # -- topics -------------------------------------------------------------------------------------------------

    def topic(self, *replicas: int, label: str = "orders", **config: str) -> TopicName:
        """Creates a topic with one partition on these brokers, all in sync, the first as its leader, and waits until
        the node knows it. It has retention.ms=-1, and these configs, with _ instead of dots."""
        name = TopicName(self.exchange.name(label))
        self._topics.append(name)
        assignment = CreatableReplicaAssignment(partition_index=0, broker_ids=tuple(map(BrokerId, replicas)))
        wanted = CreatableTopic(
            name=name,
            num_partitions=-1,
            replication_factor=-1,
            assignments=(assignment,),
            configs=tuple(
                CreatableTopicConfig(name=key.replace("_", "."), value=value)
                for key, value in {"retention_ms": "-1", **config}.items()
            ),
        )
        (made,) = self.exchange.quietly(CreateTopicsRequest(topics=(wanted,), timeout_ms=15_000)).topics
        if made.error_code:
            raise ClientTrouble(f"topic {name}: {ErrorCode(made.error_code).name}")
        self.until(lambda: bool(self.partitions(name)), f"the node knows the topic {name}")
        return name

    def partitions(self, topic: str) -> tuple[Any, ...]:
        """The partitions of a topic as the node's Metadata describes them."""
        asked = MetadataRequest(topics=(MetadataRequestTopic(name=TopicName(topic)),), allow_auto_topic_creation=False)
        return tuple(self.exchange.quietly(asked, 12).topics[0].partitions)

    def partition(self, topic: str) -> Any:
        """Its partition 0: leader, leader epoch, replicas and ISR."""
        return self.partitions(topic)[0]

    def until(self, holds: Callable[[], bool], promise: str) -> None:
        """Waits until something holds; BrokenPromise with `promise` after 30 s."""
        for _ in self.exchange.patience(KNOWN_WITHIN_S):
            if holds():
                return
        raise BrokenPromise(f"{promise}: that was not so within {KNOWN_WITHIN_S:g} s.", promise=promise)

    def configure_node(self, name: str, value: str | None) -> None:
        """Sets a dynamic setting of the node; None removes it. BrokenPromise where that is refused."""
        config = AlterableConfig(name=name, config_operation=DELETE if value is None else SET, value=value)
        resource = AlterConfigsResource(resource_type=BROKER, resource_name=str(self.node), configs=(config,))
        (answer,) = self.exchange.quietly(IncrementalAlterConfigsRequest(resources=(resource,)), 1).responses
        require(ErrorCode(answer.error_code).name, "NONE", f"the answer to a change of {name}")

    # -- leadership ---------------------------------------------------------------------------------------------

    def await_leader(self, topic: str, leader: int) -> int:
        """Waits until a broker leads partition 0, as the node knows and acts: it tells of a leader a little
        before. Returns the leader epoch."""
        self.until(lambda: self.partition(topic).leader_id == leader, f"broker {leader} leads {topic}")
        epoch = int(self.partition(topic).leader_epoch)
        asked = list_offsets(topic, EARLIEST, epoch=epoch)
        settled = (ErrorCode.NONE,) if leader == self.node else (ErrorCode.NOT_LEADER_OR_FOLLOWER,)
        self.until(
            lambda: self.exchange.quietly(asked, 7).topics[0].partitions[0].error_code in settled,
            f"broker {self.node} acts on broker {leader} leading {topic} in epoch {epoch}",
        )
        return epoch

    def await_isr(self, topic: str, *brokers: int) -> None:
        """Waits until these brokers are in sync, as the node knows."""
        self.until(
            lambda: set(self.partition(topic).isr_nodes) == set(brokers),
            f"the ISR of {topic} is {sorted(brokers)}",
        )

    def join_isr(self, topic: str, end: int) -> None:
        """Has the guest fetch from the end of the node's log until both are in sync, as the node knows.

        A leader looks at each fetch whether its follower may join the ISR, and of several nodes it learns a little late
        that a follower is unfenced: a single fetch may come too early.
        """

        def is_joined() -> bool:
            self.guest.fetch(self.topic_id(topic), end, leader_epoch=self.partition(topic).leader_epoch)
            return set(self.partition(topic).isr_nodes) == {self.node, GUEST}

        self.until(is_joined, f"the guest, which has all of {topic}, joins its ISR")

    def reassign(self, topic: str, *replicas: int, may_change_factor: bool = True) -> int:
        """Requests a reassignment of partition 0; returns its error code."""
        wanted = ReassignablePartition(partition_index=0, replicas=tuple(map(BrokerId, replicas)))
        request = AlterPartitionReassignmentsRequest(
            timeout_ms=10_000,
            allow_replication_factor_change=may_change_factor,
            topics=(ReassignableTopic(name=TopicName(topic), partitions=(wanted,)),),
        )
        answer = self.exchange.quietly(request)
        return int(answer.error_code or answer.responses[0].partitions[0].error_code)

    def elect(self, topic: str, kind: int = PREFERRED) -> int:
        """Requests an election for partition 0; returns its error code."""
        return result_of(self.exchange.quietly(election(topic, kind), 2))

    def move_leadership(self, topic: str, *replicas: int) -> int:
        """Makes the first of these the leader, which must be in sync, with the others as followers; returns the leader
        epoch."""
        for code in (self.reassign(topic, *replicas), self.elect(topic)):
            if code not in (ErrorCode.NONE, ErrorCode.ELECTION_NOT_NEEDED):
                raise BrokenPromise(f"{topic} cannot be moved to {replicas}: {ErrorCode(code).name}.")
        return self.await_leader(topic, replicas[0])

    def guest_leads(self, topic: TopicName, *batches: bytes, **of_log: Any) -> LedLog:
        """The log of a partition that the guest leads, served from now on."""
        epoch = self.await_leader(topic, GUEST)
        log = LedLog(topic, epoch, list(batches), **of_log)
        return self.guest.lead(self.exchange.topic_id(topic), log)

    def topic_id(self, topic: str) -> Uuid:
        """The id of an existing topic."""
        return self.exchange.topic_id(topic)

    # -- the end ------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Deletes the topics and takes the guest out of the cluster. ClientTrouble if no answer comes."""
        try:
            if self._topics:
                self.exchange.quietly(DeleteTopicsRequest(topic_names=tuple(self._topics), timeout_ms=10_000), 5)
            self.exchange.quietly(UnregisterBrokerRequest(broker_id=BrokerId(GUEST)), 0)
            self.until(lambda: GUEST not in self._brokers(), "the guest is gone from the node's metadata")
        finally:
            self.guest.close()

    def _brokers(self) -> set[int]:
        return {int(one.node_id) for one in self.exchange.quietly(MetadataRequest(topics=()), 12).brokers}


def election(topic: str, kind: int) -> ElectLeadersRequest:
    """ElectLeaders for partition 0; kind 0 is a preferred, 1 an unclean election."""
    asked = TopicPartitions(topic=TopicName(topic), partitions=(0,))
    return ElectLeadersRequest(election_type=kind, topic_partitions=(asked,), timeout_ms=10_000)


def result_of(answer: Any) -> int:
    """The error code of an ElectLeaders answer for one partition."""
    results = [one for result in answer.replica_election_results for one in result.partition_result]
    return int(answer.error_code or next((one.error_code for one in results), 0))


@pytest.fixture
def pair(request: pytest.FixtureRequest, exchange: Exchange, cluster: Cluster, chance: Random) -> Iterator[Pair]:
    """The broker that the exchange asks, and a guest that is unfenced. Skips where no node could reach a guest.

    A parameter (indirect) is the names of the guest's listeners, where they are not those of the nodes.
    """
    if not cluster.nodes or not cluster.client_addresses:
        skip_for(Lack(Means.NODES, "a broker played by the check needs nodes that can reach this machine"))
    host, _, port = exchange.bootstrap.rpartition(":")
    guest = GuestBroker(
        host=cluster.client_addresses[0],
        controller=controllers_of(cluster)[active_controller(cluster)],
        peer=(host, int(port)),
        listeners=getattr(request, "param", LISTENERS_OF[len(cluster.nodes) == 1]),
        chance=chance,
    )
    made = Pair(exchange, guest, cluster.nodes[0].id if exchange.home is None else exchange.home.broker)
    try:
        guest.unfence()
        yield made
    finally:
        with contextlib.suppress(ClientTrouble):
            made.close()
