"""Describes the quorum without the times of its replicas.

**Bug** DescribeQuorum knows no times: an operator cannot see that a controller has not fetched for an hour.

**Rejected by**
`checks/metadata/test_asked_at_a_controller.py::test_the_quorum_with_its_times[v2]`: assert (-1 > 0) == (2 >= 1)
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from reference_broker.environment import Now
from reference_broker.raft import description
from reference_broker.raft.leader import Progress
from reference_broker.raft.member import Member
from reference_broker.wire.messages.describe_quorum_response import ReplicaState


def plant() -> None:
    """Puts it in."""
    usual = description._states

    def untimed(member: Member, replicas: Iterable[Progress], version: int, now: Now) -> tuple[ReplicaState, ...]:
        told = usual(member, replicas, version, now)
        return tuple(replace(one, last_fetch_timestamp=-1, last_caught_up_timestamp=-1) for one in told)

    description._states = untimed
