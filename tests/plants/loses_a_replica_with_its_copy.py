"""Gives a replica up when the folder fails into which it moves.

**Bug** A partition is offline because its copy is, though its log is where it was (KIP-113).

**Rejected by**
`checks/durability/test_folders_fail_during_moves.py::test_a_replica_stays_where_it_is_when_its_new_folder_fails`:
The answer to the record meanwhile
"""

from __future__ import annotations

from reference_broker.log.log_directory import LogDirectory
from reference_broker.replication.moves import Moves


def plant() -> None:
    """Puts it in."""
    lose = Moves.lose

    def careless(self: Moves, folder: LogDirectory) -> None:
        for key, move in self._moves.items():
            if move.folder is folder:
                self._placement.places[key] = folder
        lose(self, folder)

    Moves.lose = careless  # type: ignore[method-assign]
