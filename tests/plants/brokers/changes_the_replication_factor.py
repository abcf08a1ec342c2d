"""Changes the replication factor where the client does not allow it.

**Bug** `allow_replication_factor_change` is not looked at (KIP-860).

**Rejected by**
`checks/protocol/test_refusals_among_brokers.py::test_another_number_of_replicas`: answer to a second replica
"""

from __future__ import annotations

from reference_broker.controller import reassignment


def plant() -> None:
    """Plants it."""
    reassignment._check_factor = lambda partition, wanted: None  # type: ignore[assignment]
