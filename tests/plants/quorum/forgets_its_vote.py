"""Does not keep its vote and its epoch over a restart.

**Bug** The quorum-state file is not written, so a controller that restarts votes a second time in an epoch.

**Rejected by**
`python -m harness simulate`: no progress: not within
`python -m harness simulate`: the quorum's epoch goes back from
"""

from __future__ import annotations

from reference_broker.raft.store import MetadataStore


def plant() -> None:
    """Plants it."""
    MetadataStore.write_quorum_state = lambda self, state: None  # type: ignore[method-assign]
