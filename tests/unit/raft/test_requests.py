"""What a member answers to requests: Kafka's errors, and the leader that it knows."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from quorum_world import World, addition_of
from world_node import CLUSTER, LISTENER, WorldNode, directory_of

from reference_broker.raft import messages
from reference_broker.raft.elections import LAST_EPOCH
from reference_broker.raft.machine import Quorum
from reference_broker.raft.voters import ReplicaKey
from reference_broker.waiting import Later
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages import describe_quorum_request, fetch_snapshot_request
from reference_broker.wire.messages.remove_raft_voter_request import RemoveRaftVoterRequest
from reference_broker.wire.messages.update_raft_voter_request import (
    KRaftVersionFeature,
    Listener,
    UpdateRaftVoterRequest,
)


@pytest.fixture(scope="module")
def world() -> World:
    """1 leads epoch 1, and 2 and 3 follow; `World.append` was called once."""
    world = World(3)
    world.start()
    assert world.nodes[1].quorum is not None
    member = world.nodes[1].quorum._member
    member.role.election_deadline_ms = 0  # type: ignore[union-attr]
    world.nodes[1].run(lambda quorum, now: quorum.on_time(now))
    world.run_for(100)
    world.append(world.nodes[1], "x")
    world.run_for(100)
    return world


def changed(message: Any, **changes: Any) -> Any:
    """A request with other values, in itself or its one topic and partition, whichever has them."""
    own = {name: value for name, value in changes.items() if hasattr(message, name)}
    topics = getattr(message, "topics", ())
    if topics:
        topic = topics[0]
        of_topic = {name: value for name, value in changes.items() if hasattr(topic, name)}
        partition = msgspec.structs.replace(
            topic.partitions[0], **{n: v for n, v in changes.items() if n not in own and n not in of_topic}
        )
        own["topics"] = (msgspec.structs.replace(topic, **of_topic, partitions=(partition,)),)
    return msgspec.structs.replace(message, **own)


def quorum_of(node: WorldNode) -> Quorum:
    assert node.quorum is not None
    return node.quorum


def vote(world: World, source: int, target: int, **changes: Any) -> Any:
    """A vote request that `source` would send to `target`, with changes, and the partition of its answer."""
    member = quorum_of(world.nodes[source])._member
    voter = member.voters.get(target)
    assert voter is not None
    request = messages.make_vote_request(member, voter, is_pre_vote=True)
    response = quorum_of(world.nodes[target]).on_vote(
        changed(request, **changes), 2, LISTENER, world.nodes[target].now()
    )
    return response.topics[0].partitions[0] if response.topics else response


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({}, ErrorCode.NONE),
        ({"cluster_id": "another"}, ErrorCode.INCONSISTENT_CLUSTER_ID),
        ({"cluster_id": None}, ErrorCode.NONE),
        ({"topic_name": "orders"}, ErrorCode.INVALID_REQUEST),
        ({"partition_index": 1}, ErrorCode.INVALID_REQUEST),
        ({"replica_epoch": 0, "last_offset_epoch": 0}, ErrorCode.FENCED_LEADER_EPOCH),
        ({"last_offset_epoch": 2}, ErrorCode.INVALID_REQUEST),
        ({"pre_vote": False, "last_offset_epoch": 1}, ErrorCode.INVALID_REQUEST),
        ({"last_offset": -1}, ErrorCode.INVALID_REQUEST),
        ({"replica_id": -1}, ErrorCode.INVALID_REQUEST),
        ({"voter_id": 9}, ErrorCode.INVALID_VOTER_KEY),
        ({"voter_directory_id": directory_of(9)}, ErrorCode.INVALID_VOTER_KEY),
    ],
    ids=str,
)
def test_a_vote_is_refused(world: World, changes: dict[str, Any], error: ErrorCode) -> None:
    assert vote(world, 2, 3, **changes).error_code == error


def test_a_follower_that_has_fetched_grants_no_pre_vote(world: World) -> None:
    answer = vote(world, 2, 3)
    assert (answer.vote_granted, answer.leader_id, answer.leader_epoch) == (False, 1, 1)


def fetch(world: World, target: int, version: int = 18, **changes: Any) -> Any:
    """The partition of the answer to a fetch of 2, with changes; None where it waits."""
    request = messages.make_fetch_request(quorum_of(world.nodes[2])._member)
    cluster_id = changes.pop("cluster_id", CLUSTER)
    topic_changes = {key: changes.pop(key) for key in ("topic_id",) if key in changes}
    partition = msgspec.structs.replace(request.topics[0].partitions[0], **changes)
    topic = msgspec.structs.replace(request.topics[0], **topic_changes, partitions=(partition,))
    request = msgspec.structs.replace(request, cluster_id=cluster_id, topics=(topic,))
    response = quorum_of(world.nodes[target]).on_fetch(request, version, LISTENER, world.nodes[target].now())
    if isinstance(response, Later):
        return None
    return response.responses[0].partitions[0] if response.responses else response


@pytest.mark.parametrize(
    ("target", "changes", "error"),
    [
        (1, {"cluster_id": "another"}, ErrorCode.INCONSISTENT_CLUSTER_ID),
        (1, {"topic_id": directory_of(7)}, ErrorCode.INVALID_REQUEST),
        (1, {"partition": 1}, ErrorCode.INVALID_REQUEST),
        (1, {"fetch_offset": -1}, ErrorCode.INVALID_REQUEST),
        (1, {"last_fetched_epoch": -1}, ErrorCode.INVALID_REQUEST),
        (1, {"last_fetched_epoch": 2}, ErrorCode.INVALID_REQUEST),
        (1, {"current_leader_epoch": 0, "last_fetched_epoch": 0}, ErrorCode.FENCED_LEADER_EPOCH),
        (1, {"current_leader_epoch": 2}, ErrorCode.UNKNOWN_LEADER_EPOCH),
        (3, {}, ErrorCode.NOT_LEADER_OR_FOLLOWER),
    ],
    ids=str,
)
def test_a_fetch_is_refused(world: World, target: int, changes: dict[str, Any], error: ErrorCode) -> None:
    assert fetch(world, target, **changes).error_code == error


def test_a_fetch_at_the_end_waits(world: World) -> None:
    assert fetch(world, 1) is None


def test_a_fetch_below_the_end_gets_the_batches_and_the_high_watermark(world: World) -> None:
    answer = fetch(world, 1, fetch_offset=3)
    assert (len(answer.records) > 0, answer.high_watermark, answer.current_leader.leader_id) == (True, 4, 1)


def test_a_fetch_of_a_longer_log_learns_where_the_epoch_ends(world: World) -> None:
    answer = fetch(world, 1, fetch_offset=40)
    assert (answer.diverging_epoch.epoch, answer.diverging_epoch.end_offset, bytes(answer.records)) == (1, 4, b"")


def test_a_follower_without_the_high_watermark_is_answered_at_once(world: World) -> None:
    assert fetch(world, 1, high_watermark=3).high_watermark == 4


def snapshot(world: World, **changes: Any) -> Any:
    request = messages.make_fetch_snapshot_request(quorum_of(world.nodes[2])._member, 4, 1, 0)
    wanted = fetch_snapshot_request.SnapshotId(**changes.pop("snapshot_id", {"end_offset": 4, "epoch": 1}))
    response = quorum_of(world.nodes[1]).on_fetch_snapshot(
        changed(request, snapshot_id=wanted, **changes), 1, LISTENER, world.nodes[1].now()
    )
    return response.topics[0].partitions[0] if response.topics else response


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"cluster_id": "another"}, ErrorCode.INCONSISTENT_CLUSTER_ID),
        ({"name": "orders"}, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ({"current_leader_epoch": 0}, ErrorCode.FENCED_LEADER_EPOCH),
        ({"current_leader_epoch": 2}, ErrorCode.UNKNOWN_LEADER_EPOCH),
        ({}, ErrorCode.SNAPSHOT_NOT_FOUND),
        ({"snapshot_id": {"end_offset": 0, "epoch": 0}}, ErrorCode.SNAPSHOT_NOT_FOUND),
    ],
    ids=str,
)
def test_a_part_of_a_snapshot_is_refused(world: World, changes: dict[str, Any], error: ErrorCode) -> None:
    assert snapshot(world, **changes).error_code == error


def test_the_quorum_is_described_by_its_leader_only(world: World) -> None:
    module = describe_quorum_request
    topic = module.TopicData(topic_name=messages.NAME, partitions=(module.PartitionData(),))
    request = module.DescribeQuorumRequest(topics=(topic,))
    answers = [quorum_of(node).describe(request, 2, node.now()) for node in world.nodes.values()]
    found = [answer.topics[0].partitions[0] for answer in answers]
    voters = [(state.replica_id, state.log_end_offset) for state in found[0].current_voters]
    assert voters == [(1, 4), (2, 4), (3, 4)]
    assert [one.error_code for one in found[1:]] == [ErrorCode.NOT_LEADER_OR_FOLLOWER] * 2


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"cluster_id": "another"}, ErrorCode.INCONSISTENT_CLUSTER_ID),
        ({"voter_id": -1}, ErrorCode.INVALID_REQUEST),
        ({"voter_directory_id": bytes(16)}, ErrorCode.INVALID_REQUEST),
        ({"listeners": ()}, ErrorCode.INVALID_REQUEST),
        ({"voter_id": 2}, ErrorCode.DUPLICATE_VOTER),
    ],
    ids=str,
)
def test_a_voter_is_not_added(world: World, changes: dict[str, Any], error: ErrorCode) -> None:
    request = msgspec.structs.replace(addition_of(ReplicaKey(4, directory_of(4))), **changes)
    response = quorum_of(world.nodes[1]).on_add_raft_voter(request, world.nodes[1].now())
    assert not isinstance(response, Later)
    assert response.error_code == error


def test_only_the_leader_changes_voters(world: World) -> None:
    request = addition_of(ReplicaKey(4, directory_of(4)))
    response = quorum_of(world.nodes[2]).on_add_raft_voter(request, world.nodes[2].now())
    assert not isinstance(response, Later)
    assert response.error_code == ErrorCode.NOT_LEADER_OR_FOLLOWER


def test_a_voter_with_another_folder_is_not_removed(world: World) -> None:
    request = RemoveRaftVoterRequest(cluster_id=None, voter_id=2, voter_directory_id=directory_of(9))
    response = quorum_of(world.nodes[1]).on_remove_raft_voter(request, world.nodes[1].now())
    assert not isinstance(response, Later)
    assert response.error_code == ErrorCode.VOTER_NOT_FOUND


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"current_leader_epoch": 0}, ErrorCode.FENCED_LEADER_EPOCH),
        ({"voter_id": 7}, ErrorCode.VOTER_NOT_FOUND),
        ({"listeners": ()}, ErrorCode.INVALID_REQUEST),
        ({"k_raft_version_feature": KRaftVersionFeature()}, ErrorCode.INVALID_REQUEST),
    ],
    ids=str,
)
def test_a_voter_is_not_updated(world: World, changes: dict[str, Any], error: ErrorCode) -> None:
    request = UpdateRaftVoterRequest(
        cluster_id=None,
        current_leader_epoch=1,
        voter_id=2,
        voter_directory_id=directory_of(2),
        listeners=(Listener(name=LISTENER, host="elsewhere", port=1),),
        k_raft_version_feature=KRaftVersionFeature(max_supported_version=1),
    )
    response = quorum_of(world.nodes[1]).on_update_raft_voter(
        msgspec.structs.replace(request, **changes), LISTENER, world.nodes[1].now()
    )
    assert (response.error_code, response.current_leader.host) == (error, "host1")


def test_a_vote_in_the_last_epoch_ends_elections_and_each_member_says_so_once() -> None:
    world = World(3)
    world.start()
    answer = vote(world, 2, 1, pre_vote=False, replica_epoch=LAST_EPOCH, last_offset_epoch=LAST_EPOCH - 1)
    assert (answer.error_code, answer.leader_epoch) == (ErrorCode.NONE, LAST_EPOCH)

    world.run_for(20_000)

    assert {quorum_of(node).leader_epoch for node in world.nodes.values()} == {LAST_EPOCH}
    told = [line for line in world.lines if "the last that there is" in line]
    assert 1 <= len(told) == len(set(told)) <= 3
