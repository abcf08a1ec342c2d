"""Takes assignments of replicas that cannot be.

**Bug** CreateTopics looks neither at the numbers that stand beside an assignment nor at its brokers: a tool that gives
both is not told of its mistake, and a broker may hold two replicas of one partition.

**Rejected by**
`checks/metadata/test_created_assignments.py::test_an_assignment_beside_numbers_is_refused[v7-2--1]`: INVALID_REQUEST
`checks/metadata/test_created_assignments.py::test_an_assignment_that_cannot_be_is_refused[v7-broker_twice]`:
INVALID_REPLICA_ASSIGNMENT
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.controller import topic_admin


def plant() -> None:
    """Puts it in."""
    assigned = topic_admin.TopicAdmin._assigned

    def taken(admin: Any, topic: Any) -> Any:
        return assigned(admin, replace(topic, num_partitions=-1, replication_factor=-1))

    topic_admin.TopicAdmin._assigned = taken  # type: ignore[method-assign]
    topic_admin.check_manual = lambda cluster, brokers, factor: None
