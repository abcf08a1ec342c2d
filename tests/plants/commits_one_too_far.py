"""Writes an offset that is one higher than the one committed.

**Bug** OffsetCommit adds one, as where "last read" and "next to read" are mixed up: after a restart a group passes
over a record.

**Rejected by**
`checks/walkthrough/test_lag_is_described.py`: should be 30, and is 29
`checks/groups/test_offset_commit.py::test_an_offset_is_kept[v9]`: (43, 'a note') == (42, 'a note')
`checks/groups/test_groups_model.py`: The model allows another answer
`checks/groups/test_offset_commit.py::test_a_member_commits[v10]`: 43 == 42
`checks/groups/test_offset_commit.py::test_an_offset_may_go_back[v2]`: 43 == 42
`checks/groups/test_offset_fetch.py::test_anybody_may_ask[v7]`: [(0, 43, 0)] == [(0, 42, 0)]
`checks/groups/test_offset_fetch.py::test_members_and_epochs_do_not_count_in_a_classic_group[v10---1]`:
(0, [(0, 43, 0)]) == (<ErrorCode.N... [(0, 42, 0)])
`checks/groups/test_offset_fetch.py::test_stable_offsets[v7]`: [(0, 43, 0)] == [(0, 42, 0)]
`checks/walkthrough/test_command_line_tools.py::test_lag_is_shown`:
3: '71', where '70' should be 5: '29', where '30' should be
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.groups import offset_requests
from reference_broker.wire.messages.offset_commit_value import OffsetCommitValue


def plant() -> None:
    """Puts it in."""
    value_of = offset_requests._commit_value

    def higher(*arguments: Any) -> OffsetCommitValue:
        value = value_of(*arguments)
        return replace(value, offset=value.offset + 1)

    offset_requests._commit_value = higher
