"""Reads a group's committed offsets, state and members from its coordinator, over a raw connection.

librdkafka's admin client is not used for this: after a broker was killed, its requests to a coordinator time out or
crash the process (confluent-kafka 2.16.1, with Apache Kafka and with the reference broker).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from harness.clients.client import ClientTrouble
from harness.clients.connection import RawConnection
from harness.clients.leader_connections import TROUBLE
from harness.clients.stepped.assignor import assigned
from harness.hosts import cluster_time as time
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_groups_request import DescribeGroupsRequest
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest
from reference_broker.wire.messages.offset_fetch_request import OffsetFetchRequest
from reference_broker.wire.primitives import GroupId

OFFSET_FETCH, FIND_COORDINATOR, DESCRIBE_GROUPS = 9, 10, 15
CLIENT_ID: Final = "operator"
PATIENCE_S: Final = 15.0
NOT_YET: Final = frozenset(
    {ErrorCode.COORDINATOR_NOT_AVAILABLE, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.NOT_COORDINATOR}
)
"""Errors of a coordinator that is not ready yet; the request is retried."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of a group and its assigned partitions."""

    client_id: str
    partitions: tuple[tuple[str, int], ...]


class _NotYet(Exception):
    """The coordinator is not ready."""


def committed_offsets(bootstrap: str, group: str) -> dict[tuple[str, int], int]:
    """(topic, partition) → committed offset, for all partitions for which the group has one."""

    def ask(coordinator: RawConnection) -> dict[tuple[str, int], int]:
        version = coordinator.highest(OFFSET_FETCH, 7)
        answer = coordinator.request(OFFSET_FETCH, version, OffsetFetchRequest(group_id=GroupId(group), topics=None))
        _check(answer.error_code, f"the offsets of group {group}")
        return {
            (topic.name, one.partition_index): one.committed_offset
            for topic in answer.topics
            for one in topic.partitions
        }

    return _asked(bootstrap, group, ask)


def described(bootstrap: str, group: str) -> tuple[str, tuple[Member, ...]]:
    """(state, members) of a group. The state is in capitals ("STABLE", "EMPTY"); members are sorted by client id."""

    def ask(coordinator: RawConnection) -> tuple[str, tuple[Member, ...]]:
        version = coordinator.highest(DESCRIBE_GROUPS, 5)
        answer = coordinator.request(DESCRIBE_GROUPS, version, DescribeGroupsRequest(groups=(GroupId(group),)))
        (found,) = answer.groups
        _check(found.error_code, f"group {group}")
        members = [
            Member(client_id=one.client_id, partitions=assigned(bytes(one.member_assignment))) for one in found.members
        ]
        return found.group_state.upper(), tuple(sorted(members, key=lambda member: member.client_id))

    return _asked(bootstrap, group, ask)


def _asked(bootstrap: str, group: str, ask: Callable[[RawConnection], T]) -> T:
    """Calls `ask` with a connection to the group's coordinator; retries for 15 s while the broker cannot be reached or
    the coordinator is not ready. Then, or after another error, ClientTrouble."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with _coordinator(bootstrap, group) as coordinator:
                return ask(coordinator)
        except (_NotYet, *TROUBLE) as trouble:
            if time.monotonic() > deadline:
                raise ClientTrouble(f"group {group}: {trouble} (for {PATIENCE_S:.0f} s)") from trouble
            time.sleep(0.1)


def _coordinator(bootstrap: str, group: str) -> RawConnection:
    with RawConnection.to(bootstrap, client_id=CLIENT_ID) as connection:
        version = connection.highest(FIND_COORDINATOR, 3)
        answer: Any = connection.request(FIND_COORDINATOR, version, FindCoordinatorRequest(key=group))
    _check(answer.error_code, f"the coordinator of group {group}")
    return RawConnection(answer.host, answer.port, client_id=CLIENT_ID)


def _check(code: int, what: str) -> None:
    if code in NOT_YET:
        raise _NotYet(f"{what}: {ErrorCode(code).name}")
    if code:
        raise ClientTrouble(f"{what}: {ErrorCode(code).name}")
