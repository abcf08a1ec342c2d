"""Which leader epoch began at which offset: the leader-epoch-checkpoint (KIP-101, KIP-279).

The file may lag behind, since after a crash the batches themselves tell the epochs from the recovery point on. So all
that has to be seen to is that the recovery point which is kept is not beyond `known_on_disk_to`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from reference_broker.environment import Disk
from reference_broker.log.checkpoints import read_epochs, write_epochs

UNDEFINED = (-1, -1)
ALL_OFFSETS: Final = 1 << 63


class LeaderEpochs:
    """Entries (epoch, first offset), both ascending. `on_change` is told when the file falls behind them."""

    def __init__(self, disk: Disk, path: str) -> None:
        self._disk, self._path = disk, path
        self.entries: list[tuple[int, int]] = []
        """Replaced at each change, never changed itself."""
        self.known_on_disk_to = ALL_OFFSETS
        """The file is right for all batches below this offset; beyond every offset where it holds all entries."""
        self.on_change: Callable[[], None] = lambda: None
        self.is_behind = False
        """Whether the file lacks something."""

    def load(self) -> None:
        """Read the file; an absent one is empty. ValueError when it is corrupt."""
        self.entries = read_epochs(self._disk, self._path)

    @property
    def latest(self) -> int:
        """The last epoch with an entry; -1 without any."""
        return self.entries[-1][0] if self.entries else -1

    def assign(self, epoch: int, start_offset: int) -> None:
        """Note the first offset of an epoch; entries that it contradicts are dropped."""
        if epoch <= self.latest:
            return
        kept = [entry for entry in self.entries if entry[1] < start_offset]
        self._change([*kept, (epoch, start_offset)], start_offset)

    def end_offset_for(self, epoch: int, log_end_offset: int) -> tuple[int, int]:
        """(largest epoch not above the one asked for, the offset where it ended); (-1, -1) for an unknown later one."""
        if epoch == self.latest and epoch >= 0:
            return epoch, log_end_offset
        higher = next((entry for entry in self.entries if entry[0] > epoch), None)
        if higher is None or epoch == UNDEFINED[0]:
            return UNDEFINED
        lower = [entry for entry in self.entries if entry[0] <= epoch]
        return (lower[-1][0] if lower else epoch), higher[1]

    def earliest_at(self, offset: int) -> int:
        """The first epoch if it had begun by an offset; -1 otherwise."""
        return self.entries[0][0] if self.entries and self.entries[0][1] <= offset else -1

    def epoch_at(self, offset: int) -> int:
        """The epoch in which an offset was written; -1 when unknown."""
        found = [epoch for epoch, start in self.entries if start <= offset]
        return found[-1] if found else -1

    def cut_from_end(self, end_offset: int) -> None:
        """Forget epochs that begin at or after the new end of the log."""
        kept = [entry for entry in self.entries if entry[1] < end_offset]
        if kept != self.entries:
            self._change(kept, end_offset)

    def cut_from_start(self, start_offset: int) -> None:
        """Forget epochs that ended at or before the new start of the log."""
        below = [entry for entry in self.entries if entry[1] <= start_offset]
        if not below or (below[-1][1] == start_offset and len(below) == 1):
            return
        self._change([(below[-1][0], start_offset), *self.entries[len(below) :]], ALL_OFFSETS)

    def replace(self, entries: list[tuple[int, int]], known_to: int) -> None:
        """Take these entries, both numbers ascending; the file is right for what lies below `known_to`."""
        if entries != self.entries:
            self._change(entries, known_to)

    def _change(self, entries: list[tuple[int, int]], known_to: int) -> None:
        self.entries, self.known_on_disk_to = entries, min(self.known_on_disk_to, known_to)
        self.is_behind = True
        self.on_change()

    # -- the file -----------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Bring the file up to date."""
        if self.is_behind:
            write_epochs(self._disk, self._path, self.entries)
            self.note_written(self.entries)

    def note_written(self, entries: list[tuple[int, int]]) -> None:
        """The file holds these entries, and is durable."""
        if entries is self.entries:
            self.is_behind, self.known_on_disk_to = False, ALL_OFFSETS
