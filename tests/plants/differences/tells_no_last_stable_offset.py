"""Tells the last stable offset only to readers of committed records.

**Differs** Fetch with read_uncommitted gets -1; Kafka tells it with either isolation level.

**Found by** `log`, level fields: `Fetch responses[].partitions[].last_stable_offset`
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_each


def plant() -> None:
    """Puts it in."""

    def hidden(one: Any) -> Any:
        return replace(one, last_stable_offset=-1) if one.aborted_transactions is None else one

    change_each(ApiKey.FETCH, "responses.partitions", hidden)
