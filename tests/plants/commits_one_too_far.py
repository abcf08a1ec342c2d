"""Writes an offset that is one higher than the one committed.

**Bug** OffsetCommit adds one, as where "last read" and "next to read" are mixed up: after a restart a group passes
over a record.

**Rejected by**
`checks/walkthrough/test_lag_is_described.py`: should be 30, and is 29
`checks/groups/test_offset_commit.py::test_an_offset_is_kept[v9]`: (43, 'a note') == (42, 'a note')
`checks/groups/test_groups_model.py`: The model allows another answer
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
