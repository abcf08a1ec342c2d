"""Who leads the metadata quorum of a world, and whether anybody could.

A leader of two voters that removes itself and ends before the other has that record leaves a quorum that nobody can
lead: by its own log it is no voter and asks for no votes, and its log is the longer one, so that it gives the other
none. It may also stop in order: who is an observer by its own log is not waited for.

Source: Kafka 4.3.1, KafkaRaftClient (pollUnattached and pollFollower: only a voter by its own log asks;
handleVoteRequest: a log that is behind gets no vote; maybeCompleteShutdown), RemoveVoterHandler (a leader that is
removed leads on until that is committed), LeaderState.maybeUpdateHighWatermark (committed by a majority of the new
voters). Raft's author lets a server that is not in its own configuration ask all the same (Ongaro's thesis, 4.2.2);
KIP-853 does not.
"""

from __future__ import annotations

from reference_broker.node import Node
from reference_broker.raft.machine import Quorum
from reference_broker.simulation.world import World


def active_controller(world: World) -> tuple[int, Node] | None:
    """Who leads the quorum in the highest epoch, by node id and process; None where nobody does."""
    leaders = [one for one in world.running() if one[1].parts.quorum.is_leader]
    return max(leaders, key=lambda one: one[1].parts.quorum.leader_epoch, default=None)


def missing_voter(world: World, core: list[int]) -> int | None:
    """A node that a majority of some voter set needs that a node of the core knows; None where all have one."""
    for node_id, process in world.running():
        voters = process.parts.quorum.voters
        # A controller that is new knows of none yet (seed 815): that says nothing of what the others know.
        if voters and node_id in core and sum(one in core for one in voters.ids) < voters.majority:
            return next(one for one in voters.ids if one not in core)
    return None


def has_removed_its_leader(world: World) -> bool:
    """Whether nobody can lead because of a removal, as said above, although all run: the longest log is no voter's."""
    quorums = {node_id: process.parts.quorum for node_id, process in world.running()}
    if len(quorums) < len(world.nodes) or active_controller(world) is not None:
        return False
    longest = max(quorums.values(), key=lambda one: one.log_end)
    return not longest.is_voter and not any(_may_win(quorum, quorums) for quorum in quorums.values())


def _may_win(candidate: Quorum, quorums: dict[int, Quorum]) -> bool:
    """Whether enough of the voters that a candidate knows have no log that is ahead of its own."""
    granting = [one for one in candidate.voter_ids if quorums[one].log_end <= candidate.log_end]
    return candidate.is_voter and len(granting) >= candidate.voters.majority
