"""Takes a topic for grown that stays as it is.

**Differs** CreatePartitions with the count that a topic has is answered without an error, where Kafka says
INVALID_PARTITIONS.

**Found by** `topics`, level error codes: `CreatePartitions results[].error_code`
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from tests.plants.differences._answers import change_each


def plant() -> None:
    """Puts it in."""

    def kind(one: Any) -> Any:
        is_same = one.error_code == ErrorCode.INVALID_PARTITIONS
        return replace(one, error_code=ErrorCode.NONE, error_message=None) if is_same else one

    change_each(ApiKey.CREATE_PARTITIONS, "results", kind)
