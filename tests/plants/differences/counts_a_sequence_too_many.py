"""Tells the sequence that is to come as the last one.

**Differs** DescribeProducers answers a last sequence that is one too high.

**Found by** `log`, level fields: `DescribeProducers topics[].partitions[].active_producers[].last_sequence`
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_each


def plant() -> None:
    """Puts it in."""
    change_each(
        ApiKey.DESCRIBE_PRODUCERS,
        "topics.partitions.active_producers",
        lambda one: replace(one, last_sequence=one.last_sequence + 1),
    )
