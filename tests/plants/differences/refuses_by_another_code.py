"""Refuses with another code than Kafka.

**Differs** DeleteRecords beyond the log's end is INVALID_REQUEST: one error code is wrong.

**Found by** `log`, level error codes: `DeleteRecords topics[].partitions[].error_code`
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from tests.plants.differences._answers import change_each


def plant() -> None:
    """Puts it in."""

    def other(one: Any) -> Any:
        is_beyond = one.error_code == ErrorCode.OFFSET_OUT_OF_RANGE
        return replace(one, error_code=ErrorCode.INVALID_REQUEST) if is_beyond else one

    change_each(ApiKey.DELETE_RECORDS, "topics.partitions", other)
