"""Takes a replica into the ISR whose broker has been registered anew since.

**Bug** The broker epochs of an ISR are not looked at: a restarted broker counts as in sync with what it had (KIP-903).

**Rejected by**
`checks/metadata/test_brokers_come_and_go.py::test_an_isr_is_changed_for_the_present_state_only`:
answer to an ISR with an old broker epoch of a replica
`checks/metadata/test_isr_changes.py::test_a_change_that_does_not_fit_is_refused`:
answer to a change of the ISR with a follower's old broker epoch
"""

from __future__ import annotations

from reference_broker.controller import alter_partition


def plant() -> None:
    """Plants it."""
    alter_partition._may_be_in_sync = lambda cluster, replica: True  # type: ignore[assignment]
