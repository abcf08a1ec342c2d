"""Leaves a member of a group out.

**Differs** DescribeGroups does not tell a group's first member: their number is off by one.

**Found by** `groups`, level fields: `DescribeGroups groups[].members[]`
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_each


def plant() -> None:
    """Puts it in."""
    change_each(ApiKey.DESCRIBE_GROUPS, "groups", lambda group: replace(group, members=group.members[1:]))
