"""A member of a classic group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reference_broker.groups.request import WaitingRequest
from reference_broker.wire.messages.describe_groups_response import DescribedGroupMember
from reference_broker.wire.messages.join_group_request import JoinGroupRequestProtocol
from reference_broker.wire.messages.join_group_response import JoinGroupResponseMember

Protocols = tuple[tuple[str, bytes], ...]
"""(name, metadata) of each protocol that a member can speak, the one it prefers first."""


def protocols_of(asked: Iterable[JoinGroupRequestProtocol]) -> Protocols:
    """The protocols of a JoinGroup request; of two with one name the first counts."""
    found: dict[str, bytes] = {}
    for protocol in asked:
        found.setdefault(protocol.name, protocol.metadata)
    return tuple(found.items())


@dataclass(slots=True, kw_only=True)
class Member:
    """One member. `joining` and `syncing` are requests of its own that wait for an answer.

    `is_new`: it has not yet seen the end of a rebalance, so that a session timeout counts although it waits.
    """

    id: str
    instance_id: str | None
    client_id: str
    client_host: str
    rebalance_timeout_ms: int
    session_timeout_ms: int
    protocol_type: str
    protocols: Protocols
    assignment: bytes = b""
    joining: WaitingRequest | None = None
    syncing: WaitingRequest | None = None
    is_new: bool = False

    @property
    def is_static(self) -> bool:
        """Whether it has a group.instance.id (KIP-345)."""
        return self.instance_id is not None

    @property
    def is_waiting(self) -> bool:
        """Whether a request of its own waits here, which is as good as a heartbeat."""
        return not self.is_new and (self.joining is not None or self.syncing is not None)

    def metadata(self, protocol: str | None) -> bytes:
        """What it said for a protocol."""
        return next((metadata for name, metadata in self.protocols if name == protocol), b"")

    def vote(self, candidates: Iterable[str]) -> str:
        """The candidate that it prefers."""
        return next(name for name, _ in self.protocols if name in candidates)

    def as_joined(self, protocol: str | None) -> JoinGroupResponseMember:
        """As the leader is told of it."""
        return JoinGroupResponseMember(
            member_id=self.id, group_instance_id=self.instance_id, metadata=self.metadata(protocol)
        )

    def as_described(self, protocol: str | None) -> DescribedGroupMember:
        """As DescribeGroups tells it; metadata only where a protocol is given."""
        return DescribedGroupMember(
            member_id=self.id,
            group_instance_id=self.instance_id,
            client_id=self.client_id,
            client_host=self.client_host,
            member_metadata=b"" if protocol is None else self.metadata(protocol),
            member_assignment=self.assignment,
        )
