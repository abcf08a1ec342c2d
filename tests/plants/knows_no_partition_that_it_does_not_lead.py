"""Says of a partition that it does not lead that it is not there.

**Bug** ListOffsets answers UNKNOWN_TOPIC_OR_PARTITION where another broker should be asked: a client believes that its
topic is gone, instead of looking for the leader.

**Rejected by**
`checks/protocol/test_brokers_that_lead_nothing.py::test_partitions_without_a_leader_are_refused`:
['UNKNOWN_TOPIC_OR_PARTITION']
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
        is_elsewhere = one.error_code == ErrorCode.NOT_LEADER_OR_FOLLOWER
        return replace(one, error_code=ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) if is_elsewhere else one

    change_each(ApiKey.LIST_OFFSETS, "topics.partitions", other)
