"""Goes on with the copy of a log when the folder of the log fails, however much of it was copied.

**Bug** A partition whose folder fails while it moves is served from what was copied so far: the rest is lost (KIP-113).

**Rejected by**
`checks/durability/test_folders_fail_during_moves.py::test_a_part_of_a_log_does_not_take_its_place_when_its_folder_fails`:
The answer to a record while its folder is offline
"""

from __future__ import annotations

from reference_broker.log.log_directory import LogDirectory
from reference_broker.replication.moves import Moves


def plant() -> None:
    """Puts it in."""
    lose = Moves.lose

    def hasty(self: Moves, folder: LogDirectory) -> None:
        for key, move in list(self._moves.items()):
            if move.source is folder:
                del self._moves[key]
                del folder.logs[key]
                log = move.folder.promote_future(*key, move.partition.log.config)
                self._placement.places[key] = move.folder
                move.partition.move_to(log)
        lose(self, folder)

    Moves.lose = hasty  # type: ignore[method-assign]
