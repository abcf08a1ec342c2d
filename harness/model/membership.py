"""A classic group and its members, as data, and what follows from that data alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from reference_broker.wire.errors import ErrorCode

EMPTY, PREPARING, COMPLETING, STABLE = "Empty", "PreparingRebalance", "CompletingRebalance", "Stable"
DEAD: Final = "Dead"
ID_REQUIRED_SINCE: Final = 4
"""JoinGroup version from which a new member is first given an id."""
PROTOCOL_SINCE: Final = 5
"""SyncGroup version from which the protocol must be named."""
SESSION_MS: Final = (6_000, 1_800_000)


def codes(*allowed: ErrorCode) -> frozenset[int]:
    """A set of codes."""
    return frozenset(map(int, allowed))


@dataclass(slots=True, eq=False)
class Member:
    """A member. Its id is None until an answer tells it."""

    id: str | None
    protocols: tuple[tuple[str, bytes], ...]
    joining: int | None = None
    """The client whose JoinGroup waits."""
    syncing: int | None = None
    """The client whose SyncGroup waits."""
    assignment: bytes = b""


@dataclass(slots=True, eq=False)
class Group:
    """A group of members."""

    id: str
    state: str = EMPTY
    generation: int = 0
    protocol_type: str = ""
    protocol: str | None = None
    leader: Member | None = None
    """None while the model cannot know."""
    members: list[Member] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    """Ids given to members that have not joined with them yet."""
    is_kept: bool = False
    """Whether it is in the log for certain; else Kafka may not show it yet."""
    is_clear: bool = True
    """False once something happened of which the model has no opinion."""

    def member(self, member_id: str) -> Member | None:
        """The member with an id."""
        return next((one for one in self.members if one.id == member_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a JoinGroup or SyncGroup must be answered."""

    allowed: frozenset[int] = codes(ErrorCode.NONE)
    group: Group | None = None
    member: Member | None = None
    generation: int = -1
    protocols: tuple[str, ...] = ()
    """Those that may be chosen."""
    members: tuple[Member, ...] = ()
    assignment: bytes = b""


def are_here(group: Group) -> bool:
    """Whether all members have joined the generation that gathers."""
    return all(one.joining is not None for one in group.members)


def supports(group: Group, protocol_type: str, protocols: Sequence[tuple[str, bytes]]) -> bool:
    """Whether somebody with these protocols may join."""
    if group.state == EMPTY:
        return bool(protocol_type and protocols)
    names = [{name for name, _ in one.protocols} for one in group.members]
    return protocol_type == group.protocol_type and any(all(name in own for own in names) for name, _ in protocols)


def candidates(members: Sequence[Member]) -> tuple[str, ...]:
    """The protocols that all know and that most prefer."""
    common = [name for name, _ in members[0].protocols if all(name in dict(one.protocols) for one in members)]
    votes = Counter(next(name for name, _ in one.protocols if name in common) for one in members)
    most = max(votes.values())
    return tuple(name for name in common if votes[name] == most)
