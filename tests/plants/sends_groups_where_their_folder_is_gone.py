"""Sends groups to a broker that has not the folder of their offsets.

**Bug** FindCoordinator names the broker on which a group's partition was, although nobody leads it any more: the
group's members wait for good.

**Rejected by**
`checks/durability/test_failed_folders.py::test_groups_without_their_folder_have_no_coordinator_and_keep_their_offsets`:
each of 16 groups has a coordinator
"""

from __future__ import annotations

from typing import Any

from reference_broker.apis import find_coordinator
from reference_broker.apis.context import Context
from reference_broker.groups.coordinator import TOPIC
from reference_broker.wire.errors import ErrorCode


def plant() -> None:
    """Puts it in."""
    find = find_coordinator._find

    def hopefully(key_type: int, key: str, ctx: Context) -> tuple[ErrorCode, Any]:
        code, place = find(key_type, key, ctx)
        if code is not ErrorCode.COORDINATOR_NOT_AVAILABLE or ctx.image.topics.get(TOPIC) is None:
            return code, place
        broker = next(iter(ctx.image.brokers.values()))
        host, port = broker.endpoint(ctx.listener) or ("", -1)
        return ErrorCode.NONE, (broker.id, host, port)

    find_coordinator._find = hopefully
