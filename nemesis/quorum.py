"""The metadata quorum's voters: who they are, and requests that add and remove them (KIP-853)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.history.admin_calls import admin_call
from nemesis.requests import AGAIN, NotYet, ask, persistently, require_done
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.add_raft_voter_request import AddRaftVoterRequest, Listener
from reference_broker.wire.messages.describe_quorum_request import DescribeQuorumRequest, PartitionData, TopicData
from reference_broker.wire.messages.remove_raft_voter_request import RemoveRaftVoterRequest
from reference_broker.wire.primitives import ZERO_UUID, TopicName, Uuid

_METADATA_LOG = "__cluster_metadata"
_TIMEOUT_MS = 8_000
_DONE_WITHIN_S = 60.0
_AGAIN = (*AGAIN, ErrorCode.NOT_LEADER_OR_FOLLOWER)


@dataclass(frozen=True, slots=True)
class QuorumVoter:
    """A voter, known by its node and by the folder that holds its log."""

    node: int
    directory_id: Uuid
    listeners: tuple[tuple[str, str, int], ...]
    """(name, host, port) at which the others reach it."""


@dataclass(frozen=True, slots=True)
class QuorumState:
    """The quorum as its leader describes it."""

    leader: int
    epoch: int
    voters: tuple[QuorumVoter, ...]

    @property
    def ids(self) -> tuple[int, ...]:
        """The voters' nodes, ascending."""
        return tuple(sorted(voter.node for voter in self.voters))

    @property
    def is_fixed(self) -> bool:
        """Whether controller.quorum.voters lists the voters: then they have no directory ids and cannot be changed."""
        return all(voter.directory_id == ZERO_UUID for voter in self.voters)

    def __str__(self) -> str:
        return f"{', '.join(map(str, self.ids))} (node {self.leader} leads in epoch {self.epoch})"


def quorum_of(bootstrap: str) -> QuorumState:
    """The quorum now. NotYet while nobody leads it."""
    asked = TopicData(topic_name=TopicName(_METADATA_LOG), partitions=(PartitionData(partition_index=0),))
    answer = ask(bootstrap, ApiKey.DESCRIBE_QUORUM, 2, DescribeQuorumRequest(topics=(asked,)))
    found = [partition for topic in answer.topics for partition in topic.partitions]
    if answer.error_code or not found or found[0].error_code or found[0].leader_id < 0:
        raise NotYet("the quorum has no leader")
    listeners = {
        int(node.node_id): tuple((one.name, one.host, one.port) for one in node.listeners) for node in answer.nodes
    }
    voters = tuple(
        QuorumVoter(int(one.replica_id), one.replica_directory_id, listeners.get(int(one.replica_id), ()))
        for one in found[0].current_voters
    )
    return QuorumState(int(found[0].leader_id), int(found[0].leader_epoch), voters)


def wait_for_quorum(bootstrap: str, is_so: Callable[[QuorumState], bool] = lambda quorum: True) -> QuorumState:
    """The quorum, once it is in the wanted state. HostTrouble when it does not reach it."""

    def look() -> QuorumState:
        quorum = quorum_of(bootstrap)
        if not is_so(quorum):
            raise NotYet(f"the voters are {quorum}")
        return quorum

    return persistently(look, _DONE_WITHIN_S, "the quorum did not reach the expected state")


def remove_voter(bootstrap: str, voter: QuorumVoter) -> None:
    """Removes a voter; does nothing if it is not one. NotYet, or HostTrouble when it is refused."""
    request = RemoveRaftVoterRequest(cluster_id=None, voter_id=voter.node, voter_directory_id=voter.directory_id)
    with admin_call("RemoveRaftVoter", {"voter": f"{voter.node}"}) as said:
        code = ask(bootstrap, ApiKey.REMOVE_RAFT_VOTER, 0, request).error_code
        said.came([code], (ErrorCode.VOTER_NOT_FOUND,))
    require_done([code], f"RemoveRaftVoter of node {voter.node}", _AGAIN, (ErrorCode.VOTER_NOT_FOUND,))


def add_voter(bootstrap: str, voter: QuorumVoter) -> None:
    """Makes an observer a voter; does nothing if it is one already. NotYet, or HostTrouble when it is refused."""
    listeners = tuple(Listener(name=name, host=host, port=port) for name, host, port in voter.listeners)
    request = AddRaftVoterRequest(
        cluster_id=None,
        timeout_ms=_TIMEOUT_MS,
        voter_id=voter.node,
        voter_directory_id=voter.directory_id,
        listeners=listeners,
    )
    with admin_call("AddRaftVoter", {"voter": f"{voter.node}"}) as said:
        code = ask(bootstrap, ApiKey.ADD_RAFT_VOTER, 1, request).error_code
        said.came([code], (ErrorCode.DUPLICATE_VOTER,))
    require_done([code], f"AddRaftVoter of node {voter.node}", _AGAIN, (ErrorCode.DUPLICATE_VOTER,))
