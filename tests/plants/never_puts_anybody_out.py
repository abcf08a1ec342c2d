"""Never puts a silent member out.

**Bug** Sessions do not end: the partitions of a consumer that died are read by nobody.

**Rejected by**
`checks/groups/test_heartbeat.py::test_a_silent_member_is_put_out_and_one_that_beats_stays`:
0 == <ErrorCode.UNKNOWN_MEMBER_ID: 25>
"""

from __future__ import annotations

from reference_broker.coordinator.shard import NOTHING
from reference_broker.groups.rebalance import Rebalance


def plant() -> None:
    """Puts it in."""
    Rebalance._end_session = lambda rebalance, group_id, member_id, now_ms: NOTHING
