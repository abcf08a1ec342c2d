"""Says that kraft.version is raised, and leaves the voters as they are.

**Bug** UpdateFeatures acknowledges kraft.version 1 and writes nothing: an operator goes on to replace controllers,
which then cannot be done.

**Rejected by**
`checks/metadata/test_kraft_version.py::test_fixed_voters_become_changeable`: the voters should have directory ids
"""

from __future__ import annotations

from reference_broker.raft.machine import Quorum


def plant() -> None:
    """Puts it in."""
    Quorum.upgrade_kraft_version = lambda *_, **__: False  # type: ignore[method-assign]
