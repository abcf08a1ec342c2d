"""A classic group: its members, its state, and the rules that need nothing but them.

Source: Kafka protocol guide, "Group Membership Protocol"; KIP-62, KIP-345, KIP-394.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from reference_broker.groups.member import Member, Protocols
from reference_broker.groups.subscription import CONSUMER, subscribed_topics
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.group_metadata_value import GroupMetadataValue
from reference_broker.wire.messages.join_group_response import JoinGroupResponseMember
from reference_broker.wire.refusal import KafkaError


class State(Enum):
    """A group's state; the values are the names that clients see."""

    EMPTY = "Empty"
    PREPARING = "PreparingRebalance"
    COMPLETING = "CompletingRebalance"
    STABLE = "Stable"
    DEAD = "Dead"


TRANSITIONS: Final = {
    # to             from
    State.EMPTY: (State.PREPARING,),
    State.PREPARING: (State.EMPTY, State.COMPLETING, State.STABLE),
    State.COMPLETING: (State.PREPARING,),
    State.STABLE: (State.COMPLETING,),
    State.DEAD: tuple(State),
}


class ClassicGroup:
    """One group. Members join in memory; what was agreed is written as a record, which makes the group at load."""

    def __init__(self, group_id: str, now_ms: int) -> None:
        self.id = group_id
        self.state, self.previous_state = State.EMPTY, State.DEAD
        self.state_since_ms = now_ms
        """When the state was entered; -1 where an old record did not say."""
        self.generation = 0
        self.protocol_type: str | None = None
        self.protocol_name: str | None = None
        self.leader: str | None = None
        self.members: dict[str, Member] = {}
        self.static_members: dict[str, str] = {}
        """group.instance.id -> member id."""
        self.pending_joins: dict[str, None] = {}
        """Member ids that were given out and not used yet (KIP-394)."""
        self.pending_syncs: dict[str, None] = {}
        """Members whose SyncGroup is missing."""
        self.topics: frozenset[str] | None = None
        """What the members subscribed to; None where that is not known."""
        self.has_new_member = False
        """Whether somebody joined since the initial delay was last looked at."""
        self.joining_count = 0
        self._speakers: dict[str, int] = {}

    @classmethod
    def loaded(cls, group_id: str, value: GroupMetadataValue) -> ClassicGroup:
        """The group that a record tells: Stable with members, else Empty."""
        group = cls(group_id, value.current_state_timestamp)
        group.generation, group.protocol_name, group.leader = value.generation, value.protocol, value.leader
        group.protocol_type = value.protocol_type or None
        for one in value.members:
            group.add(
                Member(
                    id=one.member_id,
                    instance_id=one.group_instance_id,
                    client_id=one.client_id,
                    client_host=one.client_host,
                    rebalance_timeout_ms=one.session_timeout if one.rebalance_timeout == -1 else one.rebalance_timeout,
                    session_timeout_ms=one.session_timeout,
                    protocol_type=value.protocol_type,
                    protocols=((value.protocol or "", one.subscription),),
                    assignment=one.assignment,
                )
            )
        if group.members:
            group.state = State.STABLE
        group.topics = group.find_topics()
        return group

    # -- state --------------------------------------------------------------------------------------------------

    def move_to(self, state: State, now_ms: int) -> None:
        """Enter a state; RuntimeError where it does not follow from the present one."""
        if self.state not in TRANSITIONS[state]:
            raise RuntimeError(f"group {self.id} cannot go from {self.state.value} to {state.value}")
        self.previous_state, self.state, self.state_since_ms = self.state, state, now_ms

    def is_in(self, *states: State) -> bool:
        """Whether the group is in one of the states."""
        return self.state in states

    @property
    def may_rebalance(self) -> bool:
        """Whether a rebalance can begin now."""
        return self.state in TRANSITIONS[State.PREPARING]

    @property
    def is_simple(self) -> bool:
        """Whether it only keeps offsets: nobody ever joined."""
        return self.protocol_type is None and self.state is State.EMPTY and not self.pending_joins

    @property
    def speaks_consumer(self) -> bool:
        """Whether its members are consumers."""
        return self.protocol_type == CONSUMER

    def begin_generation(self, now_ms: int) -> None:
        """The join phase is over: choose the protocol, and wait for the leader's assignment or be empty."""
        self.generation += 1
        self.protocol_name = self.choose_protocol() if self.members else None
        self.topics = self.find_topics()
        self.move_to(State.COMPLETING if self.members else State.EMPTY, now_ms)
        self.pending_syncs.clear()

    # -- members ------------------------------------------------------------------------------------------------

    def add(self, member: Member) -> None:
        """Take in a member; the first one leads."""
        if not self.members:
            self.protocol_type = member.protocol_type
        if member.instance_id is not None:
            self.static_members[member.instance_id] = member.id
        if self.leader is None:
            self.leader = member.id
        self.members[member.id] = member
        self._count_protocols(member.protocols, 1)
        if member.joining is not None:
            self.joining_count += 1
        self.pending_joins.pop(member.id, None)

    def remove(self, member_id: str) -> None:
        """Forget a member or a pending one; the oldest of the others leads where it led."""
        member = self.members.pop(member_id, None)
        if member is not None:
            self._count_protocols(member.protocols, -1)
            if member.joining is not None:
                self.joining_count -= 1
            if member.instance_id is not None:
                self.static_members.pop(member.instance_id, None)
        if self.leader == member_id:
            self.leader = next(iter(self.members), None)
        self.pending_joins.pop(member_id, None)
        self.pending_syncs.pop(member_id, None)

    def update(self, member: Member, protocols: Protocols, rebalance_timeout_ms: int, session_timeout_ms: int) -> None:
        """What a member says of itself when it joins again."""
        self._count_protocols(member.protocols, -1)
        member.protocols = protocols
        self._count_protocols(protocols, 1)
        member.rebalance_timeout_ms, member.session_timeout_ms = rebalance_timeout_ms, session_timeout_ms

    def rename_static(self, instance_id: str, member_id: str) -> Member:
        """Give a static member's place to a new member id (KIP-345). Nobody waits under the old id any more."""
        member = self.members.pop(self.static_members[instance_id])
        if self.leader == member.id:
            self.leader = member_id
        member.id, member.is_new = member_id, False
        self.members[member_id] = member
        self.static_members[instance_id] = member_id
        return member

    def require_member(self, member_id: str, instance_id: str | None) -> None:
        """UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID where the instance belongs to another member."""
        if instance_id is not None:
            holder = self.static_members.get(instance_id)
            if holder is None:
                raise KafkaError(ErrorCode.UNKNOWN_MEMBER_ID)
            if holder != member_id:
                raise KafkaError(ErrorCode.FENCED_INSTANCE_ID)
        if member_id not in self.members:
            raise KafkaError(ErrorCode.UNKNOWN_MEMBER_ID)

    @property
    def all_joined(self) -> bool:
        """Whether every member waits for the join phase to end, and no member id is pending."""
        return len(self.members) == self.joining_count and not self.pending_joins

    @property
    def rebalance_timeout_ms(self) -> int:
        """The longest of the members'."""
        return max((member.rebalance_timeout_ms for member in self.members.values()), default=0)

    def elect_joined_leader(self) -> bool:
        """Let a member lead that has joined, where the leader has not; False where there is none."""
        if self.leader is None:
            return False
        if self.members[self.leader].joining is not None:
            return True
        joined = next((member for member in self.members.values() if member.joining is not None), None)
        if joined is None:
            return False
        self.leader = joined.id
        return True

    def joined_members(self) -> tuple[JoinGroupResponseMember, ...]:
        """All members with what they said, for the leader."""
        return tuple(member.as_joined(self.protocol_name) for member in self.members.values())

    # -- protocols ----------------------------------------------------------------------------------------------

    def _count_protocols(self, protocols: Protocols, change: int) -> None:
        for name, _ in protocols:
            self._speakers[name] = self._speakers.get(name, 0) + change

    def can_speak(self, protocol_type: str, protocols: Protocols) -> bool:
        """Whether a member with these protocols fits in: the same type, and one protocol that all others speak."""
        if self.state is State.EMPTY:
            return bool(protocol_type and protocols)
        count = len(self.members)
        return protocol_type == self.protocol_type and any(
            self._speakers.get(name, 0) == count for name, _ in protocols
        )

    def choose_protocol(self) -> str:
        """The protocol with most votes among those that all speak; a draw goes to the one voted for first."""
        candidates = [name for name, count in self._speakers.items() if count == len(self.members)]
        votes: dict[str, int] = {}
        for member in self.members.values():
            name = member.vote(candidates)
            votes[name] = votes.get(name, 0) + 1
        return max(votes, key=lambda name: votes[name])

    def find_topics(self) -> frozenset[str] | None:
        """The topics of all subscriptions; None where one cannot be read."""
        if not self.speaks_consumer:
            return None
        if not self.members:
            return frozenset()
        if self.protocol_name is None:
            return None
        found: list[str] = []
        for member in self.members.values():
            topics = subscribed_topics(member.metadata(self.protocol_name))
            if topics is None:
                return None
            found += topics
        return frozenset(found)

    def is_subscribed_to(self, topic: str) -> bool:
        """Whether a member reads the topic; consumers of which nothing is known may read any."""
        return self.speaks_consumer if self.topics is None else topic in self.topics
