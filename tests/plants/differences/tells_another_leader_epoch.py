"""Tells the next leader epoch as the present one.

**Differs** OffsetForLeaderEpoch answers an epoch that is one too high.

**Found by** `log`, level fields: `OffsetForLeaderEpoch topics[].partitions[].leader_epoch`
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_each


def plant() -> None:
    """Puts it in."""

    def next_one(one: Any) -> Any:
        return replace(one, leader_epoch=one.leader_epoch + 1) if one.leader_epoch >= 0 else one

    change_each(ApiKey.OFFSET_FOR_LEADER_EPOCH, "topics.partitions", next_one)
