"""Keeps offsets without what was committed with them.

**Bug** Metadata and leader epoch of a committed offset are forgotten: a consumer cannot notice that the log was cut
below it (KIP-320).

**Rejected by**
`checks/groups/test_offset_commit.py::test_a_leader_epoch_is_kept[v6]`: -1 == 3
`checks/groups/test_offset_commit.py::test_an_offset_is_kept[v10]`: (42, '') == (42, 'a note')
`checks/groups/test_offset_commit.py::test_metadata[v2-korean]`: (1, '') == (1, '안녕하세요')
`checks/groups/test_offset_fetch.py::test_offsets_are_told[v10]`: {0: '', 1: ''} == {0: 'a note', 1: ''}
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.groups import offset_requests
from reference_broker.wire.messages.offset_commit_value import OffsetCommitValue


def plant() -> None:
    """Puts it in."""
    value_of = offset_requests._commit_value

    def bare(*arguments: Any) -> OffsetCommitValue:
        return replace(value_of(*arguments), metadata="", leader_epoch=-1)

    offset_requests._commit_value = bare
