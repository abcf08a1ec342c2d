"""The model allows each answer to random sequences of requests about classic groups and offsets.

**Claim** In whatever order members join, sync, send heartbeats, leave and commit, each answer is one that Kafka's
documentation allows. A member that must wait for other members is answered when these have joined or synced, and not
before.
**Why it matters** Two consumers that both believe that they own a partition, or one that keeps reading after it was
removed, read records twice or not at all.
**Kafka says** Protocol guide, group membership; KIP-394 (member ids), KIP-496 (deleting offsets).
**Cannot see** Members that stop sending heartbeats; static members; consumer and share groups; anything that
harness/model does not judge.
**Rejects** tests/plants/commits_one_too_far.py, tests/plants/deletes_groups_in_use.py,
tests/plants/never_tells_of_a_rebalance.py
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from harness.pytest_plugin.names import Names
from harness.pytest_plugin.options import OPTIONS, ChosenTarget
from harness.pytest_plugin.record import CheckRecord
from harness.search.lockstep.actions import Kind, Ref
from harness.search.lockstep.barrier import MARKER
from harness.search.lockstep.library_steps import LibraryCommit
from harness.search.lockstep.machine import ModelMachine, explore
from harness.search.lockstep.played import LeastPlayed
from harness.targets.target import Cluster
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.delete_groups_request import DeleteGroupsRequest
from reference_broker.wire.messages.describe_groups_request import DescribeGroupsRequest
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest
from reference_broker.wire.messages.join_group_request import JoinGroupRequest, JoinGroupRequestProtocol
from reference_broker.wire.messages.leave_group_request import LeaveGroupRequest, MemberIdentity
from reference_broker.wire.messages.list_groups_request import ListGroupsRequest
from reference_broker.wire.messages.offset_commit_request import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from reference_broker.wire.messages.offset_delete_request import (
    OffsetDeleteRequest,
    OffsetDeleteRequestPartition,
    OffsetDeleteRequestTopic,
)
from reference_broker.wire.messages.offset_fetch_request import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchRequestTopic,
    OffsetFetchRequestTopics,
)
from reference_broker.wire.messages.sync_group_request import SyncGroupRequest, SyncGroupRequestAssignment
from reference_broker.wire.primitives import GroupId, TopicName

pytestmark = [
    pytest.mark.cluster(is_exact=True),  # the model assumes one broker
    pytest.mark.feature("Groups"),
    pytest.mark.kip(394, 496),
    pytest.mark.document("Protocol guide", "https://kafka.apache.org/protocol.html"),
]

TOPIC = "orders"
PARTITIONS = 2
MEMBERS = 3
GROUP = "workers"
SIMPLE = "readers"
"""A group without members, to which offsets are committed."""
TIMEOUT_MS = 60_000
ONLOOKER = MEMBERS
"""The number of the client that is not a member."""

members = st.integers(0, MEMBERS - 1)
partitions = st.integers(0, PARTITIONS)
groups = st.sampled_from((GROUP, GROUP, SIMPLE))
protocols = st.sampled_from(((("range", b"a"),), (("range", b"b"),), (("sticky", b"s"), ("range", b"a"))))


def member_id(number: int) -> Any:
    return Ref(Kind.MEMBER_ID, f"m{number}")


class Groups(ModelMachine):
    """A group of up to three members, each with its own connection, and a group without members to which offsets are
    committed."""

    def __init__(self) -> None:
        super().__init__()
        self.has_id: set[int] = set()

    @initialize(formed=st.sampled_from((0, 1, 2, 2)))
    def create(self, formed: int) -> None:
        wanted = CreatableTopic(name=TopicName(TOPIC), num_partitions=PARTITIONS, replication_factor=1)
        learns = (("topics.0.topic_id", Ref(Kind.TOPIC_ID, TOPIC)),)
        self.ask(CreateTopicsRequest(topics=(wanted,), timeout_ms=15_000), 7, ONLOOKER, learns=learns)
        own = (("range", b"a"),)
        for number in range(formed):
            self.join_as(number, own, is_new=True, version=9)
            self.join_as(number, own, is_new=False, version=9)
        for number in range(formed - 1):
            self.join_as(number, own, is_new=False, version=9)
        for number in range(formed):
            self.synchronise_as(number, None, 5)

    @rule(
        number=members,
        own=protocols,
        is_new=st.sampled_from((False, False, False, True)),
        version=st.sampled_from((4, 5, 9)),
    )
    def join(self, number: int, own: Any, is_new: bool, version: int) -> None:
        self.join_as(number, own, is_new, version)

    def join_as(self, number: int, own: Any, is_new: bool, version: int) -> None:
        is_new = is_new or number not in self.has_id
        if is_new and self.modelled.player.is_waiting(number):
            return
        if is_new:
            self.has_id.add(number)
        message = JoinGroupRequest(
            group_id=GroupId(GROUP),
            session_timeout_ms=TIMEOUT_MS,
            rebalance_timeout_ms=TIMEOUT_MS,
            member_id="" if is_new else member_id(number),
            protocol_type="custom",
            protocols=tuple(JoinGroupRequestProtocol(name=name, metadata=metadata) for name, metadata in own),
        )
        learns = (("member_id", member_id(number)), ("generation_id", Ref(Kind.GENERATION, GROUP)))
        self.ask(message, version, number, learns=learns, may_wait=True)

    @rule(
        number=members, generation=st.sampled_from((None, None, None, None, 0, 99)), version=st.sampled_from((0, 3, 5))
    )
    def synchronise(self, number: int, generation: int | None, version: int) -> None:
        self.synchronise_as(number, generation, version)

    def synchronise_as(self, number: int, generation: int | None, version: int) -> None:
        own: Any = Ref(Kind.GENERATION, GROUP) if generation is None else generation
        message = SyncGroupRequest(
            group_id=GroupId(GROUP),
            generation_id=own,
            member_id=member_id(number),
            protocol_type="custom" if version >= 5 else None,
            protocol_name="range" if version >= 5 else None,
            assignments=tuple(
                SyncGroupRequestAssignment(member_id=member_id(other), assignment=f"for {other}".encode())
                for other in range(MEMBERS)
            ),
        )
        self.ask(message, version, number, may_wait=True)

    @rule(number=members, generation=st.sampled_from((None, None, None, 0, 99)), client=st.integers(0, MEMBERS))
    def beat(self, number: int, generation: int | None, client: int) -> None:
        own: Any = Ref(Kind.GENERATION, GROUP) if generation is None else generation
        message = HeartbeatRequest(group_id=GroupId(GROUP), generation_id=own, member_id=member_id(number))
        self.ask(message, 4, client)

    @rule(number=members, version=st.sampled_from((1, 3, 5)))
    def leave(self, number: int, version: int) -> None:
        leaver = (MemberIdentity(member_id=member_id(number)),)
        message = LeaveGroupRequest(
            group_id=GroupId(GROUP), member_id=member_id(number) if version < 3 else "", members=leaver
        )
        self.ask(message, version, number)

    @rule(
        group=groups,
        number=st.sampled_from((None, None, 0, 1, 2)),
        partition=partitions,
        offset=st.integers(0, 9),
        metadata=st.sampled_from(("", "note", None, "x" * 5_000)),
        version=st.sampled_from((2, 6, 8, 9, 10)),
    )
    def commit(
        self, group: str, number: int | None, partition: int, offset: int, metadata: str | None, version: int
    ) -> None:
        part = OffsetCommitRequestPartition(
            partition_index=partition, committed_offset=offset, committed_leader_epoch=0, committed_metadata=metadata
        )
        named: Any = {"name": TopicName(TOPIC)} if version < 10 else {"topic_id": Ref(Kind.TOPIC_ID, TOPIC)}
        own: Any = {}
        if number is not None:
            own = {"member_id": member_id(number), "generation_id_or_member_epoch": Ref(Kind.GENERATION, GROUP)}
        topic = OffsetCommitRequestTopic(**named, partitions=(part,))
        message = OffsetCommitRequest(group_id=GroupId(group), topics=(topic,), **own)
        self.ask(message, version, ONLOOKER if number is None else number)

    @rule(group=groups, partition=st.integers(0, PARTITIONS - 1), offset=st.integers(0, 9))
    def commit_by_confluent(self, group: str, partition: int, offset: int) -> None:
        self.do(LibraryCommit(group=group, topic=TOPIC, partition=partition, offset=offset))

    @rule(group=groups, is_all=st.booleans(), version=st.sampled_from((1, 5, 7, 8, 9, 10)))
    def fetch_offsets(self, group: str, is_all: bool, version: int) -> None:
        indexes = tuple(range(PARTITIONS))
        if version < 8:
            old = OffsetFetchRequestTopic(name=TopicName(TOPIC), partition_indexes=indexes)
            is_all = is_all and version >= 2
            message = OffsetFetchRequest(group_id=GroupId(group), topics=None if is_all else (old,))
        else:
            named: Any = {"name": TopicName(TOPIC)} if version < 10 else {"topic_id": Ref(Kind.TOPIC_ID, TOPIC)}
            new = OffsetFetchRequestTopics(**named, partition_indexes=indexes)
            wanted = OffsetFetchRequestGroup(group_id=GroupId(group), topics=None if is_all else (new,))
            message = OffsetFetchRequest(groups=(wanted,))
        self.ask(message, version, ONLOOKER)

    @rule(group=groups, partition=partitions)
    def delete_offset(self, group: str, partition: int) -> None:
        part = OffsetDeleteRequestPartition(partition_index=partition)
        topic = OffsetDeleteRequestTopic(name=TopicName(TOPIC), partitions=(part,))
        self.ask(OffsetDeleteRequest(group_id=GroupId(group), topics=(topic,)), 0, ONLOOKER)

    @rule(group=groups)
    def delete_group(self, group: str) -> None:
        self.ask(DeleteGroupsRequest(groups_names=(GroupId(group),)), 2, ONLOOKER)

    @rule(group=groups, version=st.sampled_from((0, 5, 6)))
    def describe(self, group: str, version: int) -> None:
        self.ask(DescribeGroupsRequest(groups=(GroupId(group),)), version, ONLOOKER)

    @rule(version=st.sampled_from((2, 4, 5)))
    def list_groups(self, version: int) -> None:
        self.ask(ListGroupsRequest(), version, ONLOOKER)


LEAST = LeastPlayed(
    sound=("JoinGroup", "SyncGroup", "Heartbeat", "LeaveGroup", "OffsetCommit", "OffsetFetch"), waits=1, library=1
)


def test_each_answer_about_groups_is_allowed(
    target: ChosenTarget, cluster: Cluster, names: Names, record: CheckRecord, pytestconfig: pytest.Config
) -> None:
    """In whatever order a group's members and other clients send requests, the model allows each answer."""
    options = pytestconfig.stash[OPTIONS]
    names.topics.append(MARKER)
    found = explore(Groups, target, cluster, run_seed=options.seed, duration_s=options.duration_s, least=LEAST)
    record.operations, record.verdicts = found.played.steps, (found.verdict,)
    names.topics += found.topics
    found.require_enough()
