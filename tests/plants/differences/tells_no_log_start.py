"""Does not tell where the log starts.

**Differs** Produce answers -1 as the log's start: one field is wrong.

**Found by** `log`, level fields: `Produce responses[].partition_responses[].log_start_offset`
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_each


def plant() -> None:
    """Puts it in."""
    change_each(ApiKey.PRODUCE, "responses.partition_responses", lambda one: replace(one, log_start_offset=-1), since=5)
