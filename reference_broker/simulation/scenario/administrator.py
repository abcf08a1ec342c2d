"""Whoever asks a cluster for the operations of a plan, and knows what must be true of it in the end."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

from reference_broker.controller.decision import random_uuid
from reference_broker.metadata.image import MetadataImage
from reference_broker.simulation.client import ConnectionLost
from reference_broker.simulation.cluster import CLUSTER_ID, CONTROLLER_PORT, host_of
from reference_broker.simulation.invariants import UncleanElections
from reference_broker.simulation.scenario.caller import Caller, Waits
from reference_broker.simulation.scenario.operation import Operation, Request
from reference_broker.simulation.scenario.register import Register
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode, is_retriable
from reference_broker.wire.messages.add_raft_voter_request import AddRaftVoterRequest, Listener
from reference_broker.wire.messages.alter_partition_reassignments_request import (
    AlterPartitionReassignmentsRequest,
    ReassignablePartition,
    ReassignableTopic,
)
from reference_broker.wire.messages.create_partitions_request import CreatePartitionsRequest, CreatePartitionsTopic
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest, DeleteTopicState
from reference_broker.wire.messages.elect_leaders_request import ElectLeadersRequest, TopicPartitions
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from reference_broker.wire.messages.remove_raft_voter_request import RemoveRaftVoterRequest
from reference_broker.wire.primitives import BrokerId, TopicName

RETRY_MS: Final = 100
TRIED_FOR_MS: Final = 2000
"""How long an operation is tried again."""
REQUEST_TIMEOUT_MS: Final = 1000
TOPIC: Final = 2
"""A resource type, in requests about settings."""
ABSENT: Final = 0
PREFERRED, UNCLEAN = 0, 1
SEGMENT_MS: Final = "segment.ms"
UNCLEAN_ENABLED: Final = "unclean.leader.election.enable"


class Administrator:
    """Sends what operations ask for, each until there is an answer that is final or its time is over.

    What was answered must be so in the end, unless a later request has changed it: `judge`.
    """

    def __init__(self, caller: Callable[[], Caller], unclean: UncleanElections, voters: tuple[int, ...]) -> None:
        """`caller` makes a client; `voters` are those that the cluster began with."""
        self._caller, self._unclean, self._first_voters = caller, unclean, voters
        self._registers: dict[tuple[str, str], Register] = {}
        self._is_reverted: dict[str, None] = {}
        """Partitions whose reassignment may have been cancelled."""
        self.deleted: dict[str, None] = {}
        """Topics whose deletion was asked for."""

    def _register(self, kind: str, name: str, first: Any) -> Register:
        found = self._registers.get((kind, name))
        if found is None:
            found = self._registers[kind, name] = Register(first)
        return found

    def carry_out(self, operation: Operation) -> Waits:
        """Until it is done or refused, or its time is over."""
        caller = self._caller()
        world = caller.world
        end_us = world.now_us + TRIED_FOR_MS * 1000
        api_key, message = _request(operation)
        register, value = self._written(operation)
        if operation.request in (Request.ALLOW_UNCLEAN, Request.ELECT_UNCLEAN):
            self._unclean.permit(operation.topic)
        while world.now_us < end_us:
            write = None if register is None else register.begin(value, world.now_us)
            try:
                answer = yield from caller.call_any(api_key, message)
            except ConnectionLost:
                code = None
            else:
                code = _error_of(operation.request, answer)
            world.note(0, "operation:", str(operation), "no answer" if code is None else ErrorCode(code).name)
            if code == ErrorCode.NONE:
                if register is not None and write is not None:
                    register.finish(write, world.now_us)
                return
            if code is not None and not is_retriable(code):
                return
            yield world.sleep(RETRY_MS)

    def _written(self, operation: Operation) -> tuple[Register | None, Any]:
        """What an operation changes, and to what."""
        name = operation.topic
        match operation.request:
            case Request.REASSIGN:
                first = self._unclean.replicas(name, operation.partition)
                return self._register("replicas", f"{name}-{operation.partition}", first), operation.nodes
            case Request.CANCEL:
                self._is_reverted[f"{name}-{operation.partition}"] = None
            case Request.CREATE | Request.DELETE | Request.GROW:
                if operation.request is Request.DELETE:
                    self.deleted[name] = None
                return self._register("partitions", name, ABSENT), operation.number
            case Request.CONFIGURE:
                return self._register(SEGMENT_MS, name, None), str(operation.number)
            case Request.ALLOW_UNCLEAN | Request.FORBID_UNCLEAN:
                value = "true" if operation.request is Request.ALLOW_UNCLEAN else "false"
                return self._register(UNCLEAN_ENABLED, name, None), value
            case Request.ADD_VOTER | Request.REMOVE_VOTER:
                (node,) = operation.nodes
                is_voter = node in self._first_voters
                return self._register("voter", str(node), is_voter), operation.request is Request.ADD_VOTER
        return None, None

    def judge(self, image: MetadataImage, voters: tuple[int, ...], now_us: int) -> str | None:
        """What is not as it was answered, of what is in the metadata and of who votes; None where all is."""
        for (kind, name), register in self._registers.items():
            there = _found(kind, name, image, voters)
            # What a cancellation leaves depends on what it cancelled; nothing moves any more, which others look at.
            is_open = kind == "replicas" and name in self._is_reverted
            if not is_open and not register.may_be(there, register.floor_us(now_us)):
                return f"{kind} of {name}: in the end {there!r}, but a request that wrote something else was answered"
        return None


def _found(kind: str, name: str, image: MetadataImage, voters: tuple[int, ...]) -> Any:
    if kind == "voter":
        return int(name) in voters
    if kind == "partitions":
        topic = image.topics.get(name)
        return ABSENT if topic is None else len(topic.partitions)
    if kind == "replicas":
        topic_name, _, index = name.rpartition("-")
        partition = image.partition(topic_name, int(index))
        return None if partition is None else partition.replicas
    return image.config(TOPIC, name).get(kind)


def _request(operation: Operation) -> tuple[ApiKey, Any]:
    """What is sent."""
    name, partition, nodes = TopicName(operation.topic), operation.partition, operation.nodes
    match operation.request:
        case Request.REASSIGN | Request.CANCEL:
            replicas = tuple(map(BrokerId, nodes)) if operation.request is Request.REASSIGN else None
            asked = ReassignablePartition(partition_index=partition, replicas=replicas)
            topic = ReassignableTopic(name=name, partitions=(asked,))
            return ApiKey.ALTER_PARTITION_REASSIGNMENTS, AlterPartitionReassignmentsRequest(
                timeout_ms=REQUEST_TIMEOUT_MS, topics=(topic,)
            )
        case Request.PREFER | Request.ELECT_UNCLEAN:
            places = TopicPartitions(topic=name, partitions=(partition,))
            election = UNCLEAN if operation.request is Request.ELECT_UNCLEAN else PREFERRED
            return ApiKey.ELECT_LEADERS, ElectLeadersRequest(
                election_type=election, topic_partitions=(places,), timeout_ms=REQUEST_TIMEOUT_MS
            )
        case Request.CREATE:
            created = CreatableTopic(name=name, num_partitions=operation.number, replication_factor=-1)
            return ApiKey.CREATE_TOPICS, CreateTopicsRequest(topics=(created,), timeout_ms=REQUEST_TIMEOUT_MS)
        case Request.DELETE:
            return ApiKey.DELETE_TOPICS, DeleteTopicsRequest(
                topics=(DeleteTopicState(name=name),), timeout_ms=REQUEST_TIMEOUT_MS
            )
        case Request.GROW:
            grown = CreatePartitionsTopic(name=name, count=operation.number, assignments=None)
            return ApiKey.CREATE_PARTITIONS, CreatePartitionsRequest(topics=(grown,), timeout_ms=REQUEST_TIMEOUT_MS)
        case Request.CONFIGURE:
            return ApiKey.INCREMENTAL_ALTER_CONFIGS, _setting(operation.topic, SEGMENT_MS, str(operation.number))
        case Request.ALLOW_UNCLEAN | Request.FORBID_UNCLEAN:
            value = "true" if operation.request is Request.ALLOW_UNCLEAN else "false"
            return ApiKey.INCREMENTAL_ALTER_CONFIGS, _setting(operation.topic, UNCLEAN_ENABLED, value)
        case Request.ADD_VOTER:
            (node,) = nodes
            listener = Listener(name="CONTROLLER", host=host_of(node), port=CONTROLLER_PORT)
            return ApiKey.ADD_RAFT_VOTER, AddRaftVoterRequest(
                cluster_id=CLUSTER_ID,
                timeout_ms=REQUEST_TIMEOUT_MS,
                voter_id=node,
                voter_directory_id=random_uuid(Random(node)),
                listeners=(listener,),
            )
        case Request.REMOVE_VOTER:
            (node,) = nodes
            return ApiKey.REMOVE_RAFT_VOTER, RemoveRaftVoterRequest(
                cluster_id=CLUSTER_ID, voter_id=node, voter_directory_id=random_uuid(Random(node))
            )


def _setting(topic: str, name: str, value: str) -> IncrementalAlterConfigsRequest:
    changed = AlterableConfig(name=name, config_operation=0, value=value)
    resource = AlterConfigsResource(resource_type=TOPIC, resource_name=topic, configs=(changed,))
    return IncrementalAlterConfigsRequest(resources=(resource,))


def _error_of(request: Request, answer: Any) -> int:
    """The error of the one thing that was asked for."""
    found: int
    match request:
        case Request.REASSIGN | Request.CANCEL:
            found = answer.error_code or answer.responses[0].partitions[0].error_code
        case Request.PREFER | Request.ELECT_UNCLEAN:
            found = answer.error_code or answer.replica_election_results[0].partition_result[0].error_code
        case Request.CREATE:
            found = answer.topics[0].error_code
        case Request.GROW:
            found = answer.results[0].error_code
        case Request.ADD_VOTER | Request.REMOVE_VOTER:
            found = answer.error_code
        case _:
            found = answer.responses[0].error_code
    return found
