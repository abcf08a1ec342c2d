"""Tells clients to wait, without a quota.

**Differs** InitProducerId answers a throttle time of 25 ms.

**Found by** `log`, level fields: `InitProducerId throttle_time_ms`
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_answers


def plant() -> None:
    """Puts it in."""
    change_answers(ApiKey.INIT_PRODUCER_ID, lambda response: replace(response, throttle_time_ms=25))
