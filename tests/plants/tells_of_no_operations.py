"""Never says what a client may do with a group.

**Bug** DescribeGroups leaves authorized_operations out, also where they were asked for (KIP-430).

**Rejected by**
`checks/groups/test_describe_groups.py::test_operations_are_told_when_asked[v3]`: [] == [3, 6, 8]
"""

from __future__ import annotations

from reference_broker.apis import describe_groups


def plant() -> None:
    """Puts it in."""
    describe_groups.OPERATIONS_SINCE = 99
