"""Which leader epoch began at which offset: the leader-epoch-checkpoint (KIP-101, KIP-279)."""

from __future__ import annotations

from reference_broker.environment import Disk
from reference_broker.log.checkpoints import read_epochs, write_epochs

UNDEFINED = (-1, -1)


class LeaderEpochs:
    """Entries (epoch, first offset), both ascending, kept on disk at every change."""

    def __init__(self, disk: Disk, path: str) -> None:
        self._disk, self._path = disk, path
        self.entries: list[tuple[int, int]] = []

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
        self.entries = [entry for entry in self.entries if entry[1] < start_offset]
        self.entries.append((epoch, start_offset))
        self._write()

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
            self.entries = kept
            self._write()

    def cut_from_start(self, start_offset: int) -> None:
        """Forget epochs that ended at or before the new start of the log."""
        below = [entry for entry in self.entries if entry[1] <= start_offset]
        if not below or (below[-1][1] == start_offset and len(below) == 1):
            return
        self.entries = [(below[-1][0], start_offset), *self.entries[len(below) :]]
        self._write()

    def replace(self, entries: list[tuple[int, int]]) -> None:
        """Take these entries, both numbers ascending."""
        if entries != self.entries:
            self.entries = entries
            self._write()

    def _write(self) -> None:
        write_epochs(self._disk, self._path, self.entries)
