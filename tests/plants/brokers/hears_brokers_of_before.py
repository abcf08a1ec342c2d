"""Takes heartbeats of an earlier registration.

**Bug** The broker epoch of a heartbeat is not looked at.

**Rejected by**
`checks/metadata/test_brokers_come_and_go.py::test_a_broker_that_lives_is_not_replaced`:
answer to a heartbeat of an earlier registration
"""

from __future__ import annotations

from reference_broker.controller import heartbeat


def plant() -> None:
    """Plants it."""
    heartbeat.check_broker_epoch = lambda image, broker_id, epoch: image.cluster.get(broker_id)  # type: ignore[assignment]
