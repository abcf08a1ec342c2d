"""Takes an assignment in a protocol that is not the group's.

**Bug** SyncGroup does not compare the protocol's type and name with what the group chose (KIP-559): members read
assignments that they do not understand.

**Rejected by**
`checks/groups/test_sync_group.py::test_the_protocol_is_the_groups[another_name]`:
0 == <ErrorCode.INCONSISTENT_GROUP_PROTOCOL: 23>
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.apis import sync_group
from reference_broker.groups.classic_group import ClassicGroup
from reference_broker.groups.membership import Membership
from reference_broker.wire.messages.sync_group_request import SyncGroupRequest


def plant() -> None:
    """Puts it in."""
    group_to_sync = Membership._group_to_sync

    def lenient(membership: Membership, request: SyncGroupRequest) -> ClassicGroup:
        return group_to_sync(membership, replace(request, protocol_type=None, protocol_name=None))

    Membership._group_to_sync = lenient
    sync_group.PROTOCOL_SINCE = 99
