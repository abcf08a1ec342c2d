"""Removes, at a start, what a round had finished and not yet given its name.

**Bug** Files that are called .swap are taken for left-overs. What they were made of may have gone by then.

**Rejected by**
`checks/retention/test_interrupted_compaction.py::test_wherever_the_exchange_of_segments_was_cut_off`:
is missing, the last of its key
"""

from __future__ import annotations

from collections.abc import Callable

from reference_broker.environment import Disk
from reference_broker.log import recovery
from reference_broker.log.compaction.swap import CLEANED, SWAP
from reference_broker.log.config import LogConfig


def plant() -> None:
    """Puts it in."""

    def tidy(disk: Disk, directory: str, config: LogConfig, on_warning: Callable[[str], None]) -> None:
        for name in disk.list(directory):
            if name.endswith((CLEANED, SWAP)):
                disk.remove(f"{directory}/{name}")

    recovery.complete_swaps = tidy
