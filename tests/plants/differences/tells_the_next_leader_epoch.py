"""Tells a leader epoch that is still to come.

**Differs** Metadata answers each partition's leader epoch one too high.

**Found by** `topics`, level fields: `Metadata topics[].partitions[].leader_epoch`
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_each


def plant() -> None:
    """Puts it in."""
    change_each(
        ApiKey.METADATA,
        "topics.partitions",
        lambda one: replace(one, leader_epoch=one.leader_epoch + 1),
        since=7,
    )
