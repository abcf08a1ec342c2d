"""Tells readers that the log starts where it once did.

**Differs** After DeleteRecords, Fetch goes on to tell 0 as the log's start.

**Found by** `log`, level fields: `Fetch responses[].partitions[].log_start_offset`
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_each


def plant() -> None:
    """Puts it in."""

    def old(one: Any) -> Any:
        return replace(one, log_start_offset=0) if one.log_start_offset > 0 else one

    change_each(ApiKey.FETCH, "responses.partitions", old, since=5)
