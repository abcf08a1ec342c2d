"""Names replicas that are not alive to clients of version 0.

**Bug** Version 0 of Metadata has no field for replicas that are offline: it must leave them out.

**Rejected by**
`checks/protocol/test_refusals_among_brokers.py::test_a_replica_that_is_not_alive`:
(error, number of replicas) when one is not alive, v0
"""

from __future__ import annotations

from reference_broker.apis import metadata


def plant() -> None:
    """Plants it."""
    metadata.is_reachable = lambda image, broker_id, listener: True  # type: ignore[assignment]
