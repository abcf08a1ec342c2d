"""Elects any replica that is alive.

**Bug** A leader need not be in sync or eligible.

**Rejected by**
`checks/metadata/test_brokers_come_and_go.py::test_who_was_not_in_sync_does_not_lead`:
leader when nobody in sync is alive
`checks/metadata/test_brokers_come_and_go.py::test_who_is_in_sync_leads_when_the_leader_is_fenced`:
answer to an election of a replica that is not in sync
`python -m harness simulate`: which is neither in the ISR
"""

from __future__ import annotations

from typing import Any

from reference_broker.controller import partition_change
from reference_broker.controller.partition_change import Election, Rules
from reference_broker.metadata.topics import PartitionImage


def plant() -> None:
    """Plants it."""
    plain = partition_change._elected

    def elected(partition: PartitionImage, draft: Any, election: Election, rules: Rules) -> tuple[int, bool]:
        kept, draft.isr = draft.isr, draft.replicas
        try:
            return plain(partition, draft, election, rules)
        finally:
            draft.isr = kept

    partition_change._elected = elected
