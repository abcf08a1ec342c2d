"""The roles of a member of the metadata quorum, and the only ways from one to another (KIP-595, KIP-996).

An observer is unattached or a follower; it has no timeouts and so never leaves these two.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class Role(Enum):
    """What a member is in the present epoch."""

    UNATTACHED = "unattached"
    PROSPECTIVE = "prospective"
    CANDIDATE = "candidate"
    LEADER = "leader"
    FOLLOWER = "follower"
    RESIGNED = "resigned"


class Event(Enum):
    """What may change the role."""

    HIGHER_EPOCH = "a peer is in a higher epoch, whose leader is not known"
    LEADER_FOUND = "the leader of this epoch or of a higher one is known"
    ELECTION_TIMEOUT = "the election timeout is over"
    FETCH_TIMEOUT = "the leader did not answer a fetch within the fetch timeout"
    ONLY_VOTER = "this member is the only voter, and has just started"
    VOTED = "this member gives its vote to a candidate"
    PRE_VOTE_WON = "a majority would vote for this member, or has no pre-vote"
    PRE_VOTE_LOST = "no majority would vote for this member, and it knows no leader"
    LEADER_KEPT = "no majority would vote for this member, and it knows the leader"
    ELECTION_WON = "a majority voted for this member"
    QUORUM_LOST = "no majority of the voters fetched within the check-quorum timeout"
    RESIGNATION = "the leader was asked to resign: by its controller, a shutdown or its removal from the voters"


TRANSITIONS: Final[Mapping[tuple[Role, Event], Role]] = {
    (Role.UNATTACHED, Event.HIGHER_EPOCH): Role.UNATTACHED,
    (Role.UNATTACHED, Event.LEADER_FOUND): Role.FOLLOWER,
    (Role.UNATTACHED, Event.VOTED): Role.UNATTACHED,
    (Role.UNATTACHED, Event.ELECTION_TIMEOUT): Role.PROSPECTIVE,
    (Role.UNATTACHED, Event.ONLY_VOTER): Role.PROSPECTIVE,
    (Role.PROSPECTIVE, Event.HIGHER_EPOCH): Role.UNATTACHED,
    (Role.PROSPECTIVE, Event.LEADER_FOUND): Role.FOLLOWER,
    (Role.PROSPECTIVE, Event.VOTED): Role.PROSPECTIVE,
    (Role.PROSPECTIVE, Event.PRE_VOTE_WON): Role.CANDIDATE,
    (Role.PROSPECTIVE, Event.PRE_VOTE_LOST): Role.UNATTACHED,
    (Role.PROSPECTIVE, Event.LEADER_KEPT): Role.FOLLOWER,
    (Role.CANDIDATE, Event.HIGHER_EPOCH): Role.UNATTACHED,
    (Role.CANDIDATE, Event.LEADER_FOUND): Role.FOLLOWER,
    (Role.CANDIDATE, Event.ELECTION_TIMEOUT): Role.PROSPECTIVE,
    (Role.CANDIDATE, Event.ELECTION_WON): Role.LEADER,
    (Role.LEADER, Event.HIGHER_EPOCH): Role.UNATTACHED,
    (Role.LEADER, Event.LEADER_FOUND): Role.FOLLOWER,
    (Role.LEADER, Event.QUORUM_LOST): Role.RESIGNED,
    (Role.LEADER, Event.RESIGNATION): Role.RESIGNED,
    (Role.FOLLOWER, Event.HIGHER_EPOCH): Role.UNATTACHED,
    (Role.FOLLOWER, Event.LEADER_FOUND): Role.FOLLOWER,
    (Role.FOLLOWER, Event.FETCH_TIMEOUT): Role.PROSPECTIVE,
    (Role.FOLLOWER, Event.ONLY_VOTER): Role.PROSPECTIVE,
    (Role.RESIGNED, Event.HIGHER_EPOCH): Role.UNATTACHED,
    (Role.RESIGNED, Event.LEADER_FOUND): Role.FOLLOWER,
    (Role.RESIGNED, Event.ELECTION_TIMEOUT): Role.UNATTACHED,
    (Role.RESIGNED, Event.ONLY_VOTER): Role.PROSPECTIVE,
}


class IllegalTransition(Exception):
    """An event that cannot happen in a role: a fault of this program."""


def next_role(role: Role, event: Event) -> Role:
    """The role after an event; IllegalTransition for a pair that is not listed."""
    after = TRANSITIONS.get((role, event))
    if after is None:
        raise IllegalTransition(f"{role.value}: {event.value}")
    return after


def diagram() -> str:
    """The table as a state diagram (Mermaid), for the README."""
    ways = [f"    {a.value} --> {b.value}: {event.name.lower()}" for (a, event), b in TRANSITIONS.items()]
    return "\n".join(
        ("stateDiagram-v2", f"    [*] --> {Role.UNATTACHED.value}", *(way.replace("_", " ") for way in ways))
    )
