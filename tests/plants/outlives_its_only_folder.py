"""Goes on without any log folder.

**Bug** A broker all of whose log folders are offline does not end: it answers, is healthy for whoever looks, and serves
nothing.

**Rejected by**
`checks/durability/test_full_disks.py::test_a_broker_without_another_folder_ends_and_loses_nothing`:
Whether the broker ended within 8 s should be True, and is False
"""

from __future__ import annotations

from reference_broker.node import Node


def plant() -> None:
    """Puts it in."""
    Node._look_at_folders = lambda node, partitions: None
