"""Requests about classic groups and committed offsets: join, sync, heartbeat, commit, leave, in valid and invalid
order.

Up to two groups, and four clients with at most one member each. Timeouts are longer than a sequence. At the end, the
groups and their offsets are read. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from harness.search.lockstep.actions import Action, Kind, Ref, Request
from harness.search.sequences.committed import Committed
from harness.search.sequences.subscriptions import subscription
from harness.search.sequences.writing import Listed, chosen, created, version_of
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.delete_groups_request import DeleteGroupsRequest
from reference_broker.wire.messages.describe_groups_request import DescribeGroupsRequest
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest
from reference_broker.wire.messages.join_group_request import JoinGroupRequest, JoinGroupRequestProtocol
from reference_broker.wire.messages.leave_group_request import LeaveGroupRequest, MemberIdentity
from reference_broker.wire.messages.list_groups_request import ListGroupsRequest
from reference_broker.wire.messages.sync_group_request import SyncGroupRequest, SyncGroupRequestAssignment
from reference_broker.wire.primitives import GroupId

GROUPS: Final = ("workers", "readers")
TOPICS: Final = ("orders", "events")
CLIENTS: Final = 4
TIMEOUT_MS: Final = 60_000
STATES: Final = ("Stable", "Empty", "PreparingRebalance", "CompletingRebalance", "Dead", "stable", "none", "")
TYPES: Final = ("classic", "Classic", "consumer", "share", "streams", "none", "")
PROTOCOLS: Final = ("range", "roundrobin", "sticky")
SYNC_VERSION_WITH_PROTOCOL: Final = 5


def write(random: Random, listed: Listed) -> list[Action]:
    """Creates two topics, then 10 to 40 steps, then requests that read the result."""
    return list(_Writer(random, listed).actions())


@dataclass(slots=True)
class _Member:
    """A member of a client. Its Refs are labelled by its number, because a client may join again as a new member."""

    number: int
    group: str
    instance: str | None = None
    has_joined: bool = False

    @property
    def id(self) -> Ref:
        return Ref(Kind.MEMBER_ID, f"m{self.number}")

    @property
    def generation(self) -> Ref:
        return Ref(Kind.GENERATION, self.group)


class _Writer:
    def __init__(self, random: Random, listed: Listed) -> None:
        self.random, self.listed = random, listed
        self.groups = GROUPS[: random.choice((1, 1, 2))]
        self.members: dict[int, _Member] = {}
        self.made = 0
        self.committed = Committed(random, listed, TOPICS)

    def actions(self) -> Iterator[Action]:
        yield created(TOPICS, self.listed)
        for _ in range(self.random.randint(10, 40)):
            yield from self.step()
        yield from self.closing()

    def step(self) -> Iterator[Request]:
        write = chosen(
            self.random,
            (8, self.joins),
            (14, self.join),
            (12, self.sync),
            (12, self.heartbeat),
            (5, self.leave),
            (14, self.commit),
            (12, self.fetch_offsets),
            (4, self.delete_offsets),
            (10, self.describe),
            (5, self.list),
            (3, self.delete_groups),
            (3, self.find),
        )
        found = write()
        yield from (found,) if isinstance(found, Request) else found

    # -- clients, groups and members ----------------------------------------------------------------------------

    def client(self) -> int:
        return self.random.randrange(CLIENTS)

    def group(self) -> GroupId:
        usual = self.random.choice(self.groups)
        return GroupId(chosen(self.random, (40, usual), (1, "nobody's"), (0.5, "")))

    def member(self) -> tuple[int, _Member]:
        """(client, member): mostly a client that has a member, else any client with a new member."""
        if self.members and self.random.random() < 0.9:
            client = self.random.choice(list(self.members))
            return client, self.members[client]
        client = self.client()
        return client, self.members.get(client) or _Member(self.made, self.random.choice(self.groups))

    def identity(self, member: _Member) -> dict[str, Any]:
        """Member id and group.instance.id of a member, sometimes wrong."""
        member_id = chosen(self.random, (25, member.id), (1, ""), (1, "stranger"))
        instance = member.instance
        if self.random.random() < 0.03:
            instance = self.random.choice(("i0", "i1", None))
        return {"member_id": member_id, "group_instance_id": instance}

    def in_generation(self, member: _Member) -> Any:
        return chosen(self.random, (25, member.generation), (1, -1), (1, 99), (0.5, 0))

    def request(self, key: int, message: Any, client: int | None = None, **more: Any) -> Request:
        version = version_of(self.random, self.listed, key)
        return Request(client=self.client() if client is None else client, message=message, version=version, **more)

    # -- membership ---------------------------------------------------------------------------------------------

    def joins(self) -> Iterator[Request]:
        """The requests by which a client library joins: JoinGroup, JoinGroup with the assigned id, SyncGroup."""
        client = self.client()
        member = self.members.get(client) or self.new_member(client)
        version = version_of(self.random, self.listed, ApiKey.JOIN_GROUP)
        yield self.join_by(client, member, version, "" if not member.has_joined else member.id)
        if not member.has_joined and version >= 4 and member.instance is None:
            yield self.join_by(client, member, version, member.id)
        member.has_joined = True
        yield self.sync_by(client, member, member.id, member.instance, member.generation)

    def new_member(self, client: int) -> _Member:
        instance = f"i{client}" if self.random.random() < 0.25 else None
        member = self.members[client] = _Member(self.made, self.random.choice(self.groups), instance)
        self.made += 1
        return member

    def join(self) -> Request:
        """A JoinGroup of a member that rejoins, or with random values."""
        client, member = self.member()
        version = version_of(self.random, self.listed, ApiKey.JOIN_GROUP)
        named = self.identity(member)
        request = self.join_by(client, member, version, named["member_id"], named["group_instance_id"])
        self.members.setdefault(client, member)
        return request

    def join_by(
        self, client: int, member: _Member, version: int, member_id: Any, instance: str | None = None
    ) -> Request:
        random = self.random
        names = random.sample(PROTOCOLS, random.choice((1, 1, 2, 3))) if random.random() < 0.3 else ["range"]
        if random.random() < 0.02:
            names = []
        kind = chosen(random, (40, "consumer"), (1, "connect"), (0.5, ""))
        metadata = subscription(random.sample(TOPICS, random.choice((1, 2))))
        message = JoinGroupRequest(
            group_id=chosen(random, (40, GroupId(member.group)), (1, self.group())),
            session_timeout_ms=chosen(random, (40, TIMEOUT_MS), (0.5, 0), (0.5, 2_000_000), (0.3, -1)),
            rebalance_timeout_ms=TIMEOUT_MS,
            member_id=member_id,
            group_instance_id=instance if instance is not None else member.instance,
            protocol_type=kind,
            protocols=tuple(JoinGroupRequestProtocol(name=name, metadata=metadata) for name in names),
            reason=chosen(random, (9, None), (1, "told to")),
        )
        learns = (("member_id", member.id), ("generation_id", member.generation))
        return Request(client=client, message=message, version=version, learns=learns, may_wait=True)

    def sync(self) -> Request:
        client, member = self.member()
        named = self.identity(member)
        return self.sync_by(client, member, named["member_id"], named["group_instance_id"], self.in_generation(member))

    def sync_by(self, client: int, member: _Member, member_id: Any, instance: str | None, generation: Any) -> Request:
        random = self.random
        version = version_of(random, self.listed, ApiKey.SYNC_GROUP)
        others = [one for one in self.members.values() if one.group == member.group]
        assigned = tuple(
            SyncGroupRequestAssignment(member_id=one.id, assignment=f"part {one.number}".encode())  # type: ignore[arg-type]
            for one in others
        )
        has_protocol = version >= SYNC_VERSION_WITH_PROTOCOL
        message = SyncGroupRequest(
            group_id=GroupId(member.group),
            generation_id=generation,
            member_id=member_id,
            group_instance_id=instance,
            protocol_type=chosen(random, (25, "consumer"), (1, "connect"), (1, None)) if has_protocol else None,
            protocol_name=chosen(random, (25, "range"), (1, "other"), (1, None)) if has_protocol else None,
            assignments=assigned if random.random() < 0.8 else assigned[:1],
        )
        return Request(client=client, message=message, version=version, may_wait=True)

    def heartbeat(self) -> Request:
        client, member = self.member()
        group = chosen(self.random, (25, GroupId(member.group)), (1, self.group()))
        message = HeartbeatRequest(group_id=group, generation_id=self.in_generation(member), **self.identity(member))
        return self.request(ApiKey.HEARTBEAT, message, client)

    def leave(self) -> Request:
        random = self.random
        client, member = self.member()
        version = version_of(random, self.listed, ApiKey.LEAVE_GROUP)
        leaving = [member]
        if random.random() < 0.3:
            leaving += [one for one in self.members.values() if one is not member][: random.choice((1, 2))]
        identities = []
        for one in leaving:
            named = self.identity(one)
            if one.instance is not None and random.random() < 0.5:
                named["member_id"] = ""
            identities.append(MemberIdentity(**named, reason=chosen(random, (9, None), (1, "done"))))
        message = LeaveGroupRequest(
            group_id=GroupId(member.group),
            member_id=self.identity(member)["member_id"] if version < 3 else "",
            members=tuple(identities) if random.random() < 0.97 else (),
        )
        self.members.pop(client, None)
        return Request(client=client, message=message, version=version)

    # -- offsets ------------------------------------------------------------------------------------------------

    def commit(self) -> Request:
        """An OffsetCommit by a member in its generation, or without a member."""
        client, member = self.member()
        if self.random.random() < 0.4:
            return self.committed.commit(self.client(), self.group(), "", None, -1)
        named = self.identity(member)
        return self.committed.commit(
            client,
            GroupId(member.group),
            named["member_id"],
            named["group_instance_id"],
            self.in_generation(member),
        )

    def fetch_offsets(self) -> Request:
        _, member = self.member()
        return self.committed.fetch(self.client(), [self.group() for _ in self.groups], member.id)

    def delete_offsets(self) -> Request:
        return self.committed.delete(self.client(), self.group())

    # -- groups -------------------------------------------------------------------------------------------------

    def describe(self) -> Request:
        groups = tuple(self.group() for _ in range(chosen(self.random, (6, 1), (3, 2), (0.3, 0))))
        message = DescribeGroupsRequest(groups=groups, include_authorized_operations=self.random.random() < 0.2)
        return self.request(ApiKey.DESCRIBE_GROUPS, message)

    def list(self) -> Request:
        random = self.random
        message = ListGroupsRequest(
            states_filter=tuple(random.sample(STATES, chosen(random, (4, 0), (3, 1), (2, 2)))),
            types_filter=tuple(random.sample(TYPES, chosen(random, (6, 0), (3, 1), (1, 2)))),
        )
        return self.request(ApiKey.LIST_GROUPS, message)

    def delete_groups(self) -> Request:
        names = tuple(dict.fromkeys(self.group() for _ in range(chosen(self.random, (6, 1), (3, 2), (0.3, 0)))))
        return self.request(ApiKey.DELETE_GROUPS, DeleteGroupsRequest(groups_names=names))

    def find(self) -> Request:
        """A FindCoordinator of groups, or of an unknown type; other types would create internal topics in Kafka."""
        random = self.random
        version = version_of(random, self.listed, ApiKey.FIND_COORDINATOR)
        kind = chosen(random, (20, 0), (1, 3), (1, -1))
        keys = [Ref(Kind.NAME, group) if group else "" for group in (self.group(), self.group())]
        message = FindCoordinatorRequest(
            key=keys[0] if version < 4 else "",  # type: ignore[arg-type]
            key_type=kind,
            coordinator_keys=tuple(keys[: random.choice((1, 1, 2, 0))]) if version >= 4 else (),  # type: ignore[arg-type]
        )
        return Request(client=self.client(), message=message, version=version)

    def closing(self) -> Iterator[Request]:
        """The requests that read the result, by a client that never waits in a group."""
        names = tuple(GroupId(name) for name in self.groups)
        described = DescribeGroupsRequest(groups=names)
        yield Request(client=CLIENTS, message=described, version=self.listed[ApiKey.DESCRIBE_GROUPS][1])
        yield Request(client=CLIENTS, message=ListGroupsRequest(), version=self.listed[ApiKey.LIST_GROUPS][1])
        for name in names:
            yield self.committed.everything(CLIENTS, name)
