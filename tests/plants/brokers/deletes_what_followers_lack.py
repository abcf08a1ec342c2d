"""Lets retention take records that its followers do not have.

**Bug** Old segments go whether they are below the high watermark or not.

**Rejected by**
`checks/retention/test_retention_waits_for_replicas.py::test_retention_takes_what_the_follower_has`:
Where the log starts while the follower has nothing should be 0, and is 3
"""

from __future__ import annotations

from reference_broker.log import retention
from reference_broker.log.partition_log import PartitionLog


def plant() -> None:
    """Plants it."""

    def may_go(log: PartitionLog) -> bool:
        return len(log.segments) > 1 or log.segments[0].size > 0

    retention._may_go = may_go  # type: ignore[attr-defined]
