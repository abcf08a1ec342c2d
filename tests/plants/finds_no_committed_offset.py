"""Tells a group that it has committed nothing.

**Bug** OffsetFetch finds no offset, although OffsetCommit was answered without an error: consumers begin anew with
every start.

**Rejected by**
`checks/walkthrough/test_offsets_are_bookmarks.py::test_a_group_goes_on_where_it_left_off`: where b'later' should be
`checks/walkthrough/test_groups_share_and_are_independent.py::test_each_group_is_given_every_record`:
0): -1, where 30 should be
`checks/groups/test_offset_fetch.py::test_offsets_are_told[v8]`: [(0, -1, 0), (1, -1, 0)] == [(0, 42, 0), (1, -1, 0)]
"""

from __future__ import annotations

from reference_broker.groups.offsets import Committed, Offsets


def plant() -> None:
    """Puts it in."""

    def nothing(offsets: Offsets, group_id: str, topic: str) -> dict[int, Committed]:
        return {}

    Offsets.of_topic = nothing
