"""Keeps an offset without the text beside it.

**Differs** OffsetCommit keeps no metadata, so that OffsetFetch answers none.

**Found by** `groups`, level fields: `OffsetFetch *metadata`
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
        return replace(value_of(*arguments), metadata="")

    offset_requests._commit_value = bare
