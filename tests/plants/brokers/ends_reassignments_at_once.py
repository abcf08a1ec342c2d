"""Ends a reassignment before the new replicas have anything.

**Bug** The new replicas are not waited for: the partition is left to brokers that lack its records.

**Rejected by**
`checks/metadata/test_brokers_come_and_go.py::test_a_reassignment_ends_when_the_new_replica_is_in_sync`:
the new replica is added
"""

from __future__ import annotations

from typing import Any

from reference_broker.controller import partition_change


def plant() -> None:
    """Plants it."""

    def complete(draft: Any) -> None:
        if draft.removing or draft.adding:
            draft.replicas = tuple(one for one in draft.replicas if one not in draft.removing)
            draft.isr, draft.removing, draft.adding = draft.replicas, (), ()

    partition_change._complete_reassignment = complete
