"""Lets a member leave that it does not know.

**Differs** LeaveGroup of no member of the group is answered without an error, where Kafka says UNKNOWN_MEMBER_ID.

**Found by** `groups`, level error codes: `LeaveGroup *error_code`
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from tests.plants.differences._answers import change_answers, each


def plant() -> None:
    """Puts it in."""

    def kind(one: Any) -> Any:
        return replace(one, error_code=ErrorCode.NONE) if one.error_code == ErrorCode.UNKNOWN_MEMBER_ID else one

    change_answers(ApiKey.LEAVE_GROUP, lambda response: kind(each(response, "members", kind)))
