"""Names a leader that the client cannot reach.

**Bug** Whether the leader has a listener of the client's name is not looked at.

**Rejected by**
`checks/protocol/test_refusals_among_brokers.py::test_a_leader_without_the_clients_listener`:
(error, leader) of a partition whose leader has another listener
"""

from __future__ import annotations

from reference_broker.apis import metadata


def plant() -> None:
    """Plants it."""
    metadata.is_reachable = lambda image, broker_id, listener: metadata.is_alive(image, broker_id)  # type: ignore[assignment]
