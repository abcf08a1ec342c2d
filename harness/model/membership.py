"""The state of a classic group and its members, and functions of that state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from reference_broker.wire.errors import ErrorCode

EMPTY, PREPARING, COMPLETING, STABLE = "Empty", "PreparingRebalance", "CompletingRebalance", "Stable"
DEAD: Final = "Dead"
ID_REQUIRED_SINCE: Final = 4
"""First JoinGroup version in which a new member is first given an id and must join again with it (KIP-394)."""
PROTOCOL_SINCE: Final = 5
"""First SyncGroup version that must name the protocol type and protocol."""
SESSION_MS: Final = (6_000, 1_800_000)


def codes(*allowed: ErrorCode) -> frozenset[int]:
    """A set of error codes as numbers."""
    return frozenset(map(int, allowed))


@dataclass(slots=True, eq=False)
class Member:
    """A member. Its id is None until an answer contains it."""

    id: str | None
    protocols: tuple[tuple[str, bytes], ...]
    joining: int | None = None
    """The client whose JoinGroup for this member is waiting; None for none."""
    syncing: int | None = None
    """The client whose SyncGroup for this member is waiting; None for none."""
    assignment: bytes = b""


@dataclass(slots=True, eq=False)
class Group:
    """The state of one classic group."""

    id: str
    state: str = EMPTY
    generation: int = 0
    protocol_type: str = ""
    protocol: str | None = None
    leader: Member | None = None
    """None without members, and while the model does not know which member leads."""
    members: list[Member] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    """Member ids given out by MEMBER_ID_REQUIRED with which nobody has joined yet."""
    is_kept: bool = False
    """Whether the group is certainly in __consumer_offsets; else Kafka may not list it yet."""
    is_clear: bool = True
    """Whether the model knows the group's state. Once false, its answers are not judged."""

    def member(self, member_id: str) -> Member | None:
        """The member with this id; None if there is none."""
        return next((one for one in self.members if one.id == member_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The expected answer to a JoinGroup or SyncGroup."""

    allowed: frozenset[int] = codes(ErrorCode.NONE)
    group: Group | None = None
    member: Member | None = None
    generation: int = -1
    protocols: tuple[str, ...] = ()
    """The protocols of which the group may choose one."""
    members: tuple[Member, ...] = ()
    assignment: bytes = b""


def are_here(group: Group) -> bool:
    """Whether all members have joined the rebalance in progress."""
    return all(one.joining is not None for one in group.members)


def supports(group: Group, protocol_type: str, protocols: Sequence[tuple[str, bytes]]) -> bool:
    """Whether a member with these protocols may join the group."""
    if group.state == EMPTY:
        return bool(protocol_type and protocols)
    names = [{name for name, _ in one.protocols} for one in group.members]
    return protocol_type == group.protocol_type and any(all(name in own for own in names) for name, _ in protocols)


def candidates(members: Sequence[Member]) -> tuple[str, ...]:
    """The protocols that all members support and that got the most votes."""
    common = [name for name, _ in members[0].protocols if all(name in dict(one.protocols) for one in members)]
    votes = Counter(next(name for name, _ in one.protocols if name in common) for one in members)
    most = max(votes.values())
    return tuple(name for name in common if votes[name] == most)
