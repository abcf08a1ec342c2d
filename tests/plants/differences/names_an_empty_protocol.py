"""Names an empty protocol where there is none.

**Differs** JoinGroup that is refused names the protocol "" where Kafka answers null (version 7 and later): empty for
null.

**Found by** `groups`, level fields: `JoinGroup protocol_name`
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_answers


def plant() -> None:
    """Puts it in."""

    def named(response: Any) -> Any:
        return replace(response, protocol_name="") if response.protocol_name is None else response

    change_answers(ApiKey.JOIN_GROUP, named, since=7)
