"""Takes brokers that are not there for replicas, and answers that the partition moves.

**Bug** AlterPartitionReassignments does not look whether the wished brokers are registered: the partition waits forever
for a replica that nobody has.

**Rejected by**
`checks/metadata/test_partition_reassignments.py::test_replicas_that_cannot_be_are_refused[v1-unknown]`:
INVALID_REPLICA_ASSIGNMENT
"""

from __future__ import annotations

from reference_broker.controller import reassignment


def plant() -> None:
    """Puts it in."""
    reassignment.check_manual = lambda *_: None
