"""Takes a broker into the ISR that has no replica.

**Bug** The members of an ISR are not compared with the replicas.

**Rejected by**
`checks/metadata/test_brokers_come_and_go.py::test_an_isr_is_changed_for_the_present_state_only`:
answer to an ISR with a stranger
`checks/metadata/test_isr_changes.py::test_a_change_that_does_not_fit_is_refused`:
answer to a change of the ISR with an ISR with a stranger
"""

from __future__ import annotations

from msgspec.structs import replace

from tests.plants.brokers._isr_changes import judge_instead


def plant() -> None:
    """Plants it."""
    judge_instead(
        lambda partition, asked: replace(
            asked, isr=tuple(one for one in asked.isr if one.broker_id in partition.replicas)
        )
    )
