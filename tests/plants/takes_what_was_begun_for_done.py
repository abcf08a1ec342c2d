"""Takes, at a start, a segment that a round was still writing for one that it had finished.

**Bug** Files that are called .cleaned take the place of what they are made from, although the round had got through a
part of it only.

**Rejected by**
`checks/retention/test_interrupted_compaction.py::test_a_kill_in_the_middle_of_a_round`: is missing
"""

from __future__ import annotations

from collections.abc import Callable

from reference_broker.environment import Disk
from reference_broker.log import recovery
from reference_broker.log.compaction.swap import CLEANED, SWAP, complete_swaps
from reference_broker.log.config import LogConfig


def plant() -> None:
    """Puts it in."""

    def trusting(disk: Disk, directory: str, config: LogConfig, on_warning: Callable[[str], None]) -> None:
        for name in disk.list(directory):
            if name.endswith(CLEANED):
                disk.rename(f"{directory}/{name}", f"{directory}/{name.removesuffix(CLEANED)}{SWAP}")
        complete_swaps(disk, directory, config, on_warning)

    recovery.complete_swaps = trusting
