"""Does not tell a member that its group rebalances.

**Differs** Heartbeat is answered without an error, where Kafka says REBALANCE_IN_PROGRESS.

**Found by** `groups`, level error codes: `Heartbeat error_code`
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from tests.plants.differences._answers import change_answers


def plant() -> None:
    """Puts it in."""

    def calm(response: Any) -> Any:
        is_on = response.error_code == ErrorCode.REBALANCE_IN_PROGRESS
        return replace(response, error_code=ErrorCode.NONE) if is_on else response

    change_answers(ApiKey.HEARTBEAT, calm)
