"""Registers a broker whose id is in use.

**Bug** Whether the session of an id lives is not looked at: two processes take turns in fencing each other.

**Rejected by**
`checks/metadata/test_brokers_come_and_go.py::test_a_broker_that_lives_is_not_replaced`:
answer to a second broker of an id
`checks/metadata/test_node_identity.py::test_a_second_broker_of_an_id_is_refused`:
What the cluster tells of its brokers
"""

from __future__ import annotations

from reference_broker.controller.sessions import BrokerSessions


def plant() -> None:
    """Plants it."""
    BrokerSessions.is_valid = lambda self, broker_id, epoch, now: False  # type: ignore[method-assign]
