"""Gives a group's partitions to each of its members.

**Bug** SyncGroup answers every member with the assignment that the leader made for itself, so that two members read the
same partitions and others are read by nobody. Like KAFKA-16147 and KAFKA-12984, where two members owned a partition.

**Rejected by**
`checks/groups/test_sync_group.py::test_a_follower_waits_for_the_leader`: b'
`checks/walkthrough/test_groups_share_and_are_independent.py::test_three_consumers_have_one_partition_each_and_a_fourth_is_idle`:
did not settle on [1, 1, 1] partitions each within 30 s
"""

from __future__ import annotations

from reference_broker.groups import membership, rebalance
from reference_broker.groups.classic_group import ClassicGroup
from reference_broker.groups.member import Member
from reference_broker.wire.messages.sync_group_response import SyncGroupResponse


def plant() -> None:
    """Puts it in."""
    synced = rebalance.synced

    def leaders(group: ClassicGroup, member: Member) -> SyncGroupResponse:
        return synced(group, group.members.get(group.leader or "", member))

    rebalance.synced = membership.synced = leaders
