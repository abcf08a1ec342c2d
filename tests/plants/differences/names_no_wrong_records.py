"""Refuses a batch without naming the records that are wrong.

**Differs** Produce answers INVALID_TIMESTAMP or INVALID_RECORD without the errors of single records (KIP-467).

**Found by** `log`, level fields: `Produce responses[].partition_responses[].record_errors[]`
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_each


def plant() -> None:
    """Puts it in."""
    change_each(ApiKey.PRODUCE, "responses.partition_responses", lambda one: replace(one, record_errors=()), since=8)
