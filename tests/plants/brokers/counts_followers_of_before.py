"""Counts the fetch of a broker that has been registered anew since.

**Bug** The broker epoch of a fetch is not looked at, so a delayed fetch says what a restarted broker may have lost
(KIP-903).

**Rejected by**
`checks/protocol/test_followers_are_served.py::test_a_follower_that_was_registered_anew_is_refused`:
What consumers see when the follower fetched under an old broker epoch
"""

from __future__ import annotations

from reference_broker.replication.local_broker import LocalBroker


def plant() -> None:
    """Plants it."""
    LocalBroker.is_fenced_by_epoch = lambda self, broker_id, broker_epoch: False  # type: ignore[method-assign]
