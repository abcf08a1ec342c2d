"""Forgets who left the ISR when it was at its minimum.

**Bug** There are no eligible leader replicas (KIP-966), so a partition waits for its last leader.

**Rejected by**
`checks/metadata/test_brokers_come_and_go.py::test_an_eligible_replica_leads`:
follower that left the ISR is told to be eligible
`python -m harness simulate`: is eligible no longer, as it was
"""

from __future__ import annotations

from reference_broker.controller import partition_change


def plant() -> None:
    """Plants it."""
    partition_change._eligible = lambda partition, draft, rules, without_trust: ()  # type: ignore[assignment]
