"""Answers null where Kafka answers an empty array.

**Differs** Fetch with read_committed tells no aborted transactions by null, not by an empty array.

**Found by** `log`, level fields: `Fetch responses[].partitions[].aborted_transactions`
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_each


def plant() -> None:
    """Puts it in."""
    change_each(
        ApiKey.FETCH,
        "responses.partitions",
        lambda one: replace(one, aborted_transactions=one.aborted_transactions or None),
    )
