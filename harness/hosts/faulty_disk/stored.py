"""What a disk holds: files and folders, with what was flushed kept apart from what was only written.

**The model.** Bytes and size of a file are durable after fsync, fdatasync or msync of that file. A name in a folder
(created, removed, renamed) is durable after fsync of that folder; fsync of a file says nothing of its name, as in
POSIX. Modes, owners and times are durable at once. A rename from one folder to another is a change of each. After a
loss of power there is what is durable, and of the rest, by the kind of loss:

- ALL of it is lost;
- SOME is kept: of each file any pages (4096 bytes), and a size between the durable and the last one, with zeros where a
  page is missing; of each folder the first of its changes, up to any one, in their order;
- TORN: all reached the disk but each file's last write, of which the first bytes did; behind them is the file's end, or
  zeros up to where the write would have ended. All changes of folders are kept.

Source: POSIX fsync; Linux fsync(2), "Calling fsync() does not necessarily ensure that the entry in the directory …".
"""

from __future__ import annotations

import os
import stat
import tempfile
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from random import Random

PAGE = 4096
_ZEROS = bytes(PAGE)


class Loss(StrEnum):
    """How much of what was not flushed a loss of power takes."""

    ALL = "all"
    SOME = "some"
    TORN = "torn"


class Entry:
    """A file or a folder: where it is, and what stat(2) says."""

    def __init__(self, mode: int, uid: int, gid: int) -> None:
        self.mode, self.uid, self.gid = mode, uid, gid
        self.accessed_ns = self.modified_ns = self.changed_ns = time.time_ns()
        self.number = 0
        """By which the kernel knows it; 0 while it does not."""
        self.parent: Folder | None = None
        self.name = b""

    @property
    def path(self) -> str:
        """From the disk's root on, without a slash in front."""
        names, entry = [], self
        while entry.parent is not None:
            names.append(entry.name.decode("utf-8", "surrogateescape"))
            entry = entry.parent
        return "/".join(reversed(names))

    def touch(self) -> None:
        """It is modified now."""
        self.modified_ns = self.changed_ns = time.time_ns()


class File(Entry):
    """A file. Its bytes as they are now stand in an unnamed file of the machine; `_old` has what was durable before."""

    def __init__(self, mode: int, uid: int, gid: int, beside: Path) -> None:
        super().__init__(stat.S_IFREG | mode, uid, gid)
        self._file = tempfile.TemporaryFile(dir=beside, buffering=0)  # noqa: SIM115  (it lives as long as this object)
        self._descriptor = self._file.fileno()
        self.size = 0
        self._durable_size = 0
        self._old: dict[int, bytes] = {}
        """Page → its durable bytes, of those that were changed since the last flush."""
        self._written: set[int] = set()
        """Pages that were written since the last flush."""
        self._last: tuple[int, int] | None = None
        """Position and size of the last write since the last flush."""

    def read(self, position: int, size: int) -> bytes:
        """Up to `size` bytes."""
        return os.pread(self._descriptor, size, position)

    def write(self, position: int, data: bytes) -> int:
        """Writes, and returns how many bytes were taken. OSError."""
        end = position + len(data)
        pages = range(position // PAGE, -(-end // PAGE))
        self._keep(pages)
        written = os.pwrite(self._descriptor, data, position)
        self._written.update(pages)
        self._last = (position, written)
        self.size = max(self.size, position + written)
        self.touch()
        return written

    def truncate(self, size: int) -> None:
        """Cuts it, or lets it grow by zeros. OSError."""
        if size < self._durable_size:
            self._keep(range(size // PAGE, -(-self._durable_size // PAGE)))
        os.ftruncate(self._descriptor, size)
        self.size = size
        self.touch()

    def flush(self) -> None:
        """All is durable."""
        self._durable_size = self.size
        self._old.clear()
        self._written.clear()
        self._last = None

    @property
    def unflushed_bytes(self) -> int:
        """How many bytes are lost with the power, at most."""
        return PAGE * len(self._old) + max(0, self.size - self._durable_size)

    def lose(self, loss: Loss, chance: Random) -> int:
        """Loses what was not flushed, or a part; the rest is durable. Returns how many bytes are not as they were."""
        if not self.unflushed_bytes:
            self.flush()
            return 0
        before = self.size
        if loss is Loss.ALL:
            changed = self._restore(sorted(self._old), self._durable_size)
        elif loss is Loss.SOME:
            changed = self._lose_some(chance)
        else:
            changed = self._tear(chance)
        changed += max(0, before - self.size)
        self.flush()
        return changed

    def _lose_some(self, chance: Random) -> int:
        pages = sorted(self._written | self._old.keys())
        lost = [page for page in pages if chance.randrange(2)]
        if self.size < self._durable_size and chance.randrange(2):
            return self._restore(sorted({*lost, *(page for page in self._old if (page + 1) * PAGE > self.size)}))
        end = self.size
        if self.size > self._durable_size:
            end = chance.choice((self._durable_size, self.size, chance.randint(self._durable_size, self.size)))
        return self._restore([page for page in lost if page * PAGE < end], end)

    def _tear(self, chance: Random) -> int:
        if self._last is None:
            return 0
        position, size = self._last
        end, cut = position + size, position + chance.randrange(size) if size else position
        was_last = end >= self.size
        if end <= cut or cut >= self.size:
            return 0
        old = bytearray(end - cut)
        for page in range(cut // PAGE, -(-end // PAGE)):
            for place, byte in enumerate(self._old.get(page, b""), page * PAGE):
                if cut <= place < end:
                    old[place - cut] = byte
        os.pwrite(self._descriptor, old, cut)
        if was_last and chance.randrange(2):
            self._resize(max(cut, self._durable_size))
        return len(old)

    def _restore(self, pages: list[int], size: int | None = None) -> int:
        """Gives pages their durable bytes back, zeros where they had none, and the file a size."""
        size = self._durable_size if size is None else size
        for page in pages:
            os.pwrite(self._descriptor, self._old.get(page, b"").ljust(PAGE, b"\0"), page * PAGE)
        self._resize(size)
        return PAGE * len(pages)

    def _resize(self, size: int) -> None:
        os.ftruncate(self._descriptor, size)
        self.size = size

    def _keep(self, pages: range) -> None:
        """Keeps the durable bytes of pages that are about to change."""
        for page in pages:
            if page * PAGE >= self._durable_size:
                return
            if page not in self._old:
                data = os.pread(self._descriptor, min(PAGE, self._durable_size - page * PAGE), page * PAGE)
                self._old[page] = data if any(data) else _ZEROS[: len(data)]


class Folder(Entry):
    """Names and what they stand for. `changes` since the last flush may be lost."""

    def __init__(self, mode: int, uid: int, gid: int) -> None:
        super().__init__(stat.S_IFDIR | mode, uid, gid)
        self.entries: dict[bytes, Entry] = {}
        self._durable: dict[bytes, Entry] = {}
        self.changes: list[tuple[tuple[bytes, Entry | None], ...]] = []

    def set(self, *names: tuple[bytes, Entry | None]) -> None:
        """Gives names to something, or to nothing, all together."""
        self._apply(names)
        self.changes.append(names)
        self.touch()

    def flush(self) -> None:
        """All names are durable."""
        if self.changes:
            self._durable = dict(self.entries)
            self.changes.clear()

    def lose(self, loss: Loss, chance: Random) -> int:
        """Loses changes that were not flushed, or a part; the rest is durable. Returns how many."""
        count = len(self.changes)
        kept = {Loss.ALL: 0, Loss.SOME: chance.randint(0, count), Loss.TORN: count}[loss]
        changes, self.entries = self.changes[:kept], dict(self._durable)
        for name, entry in self._durable.items():
            entry.parent, entry.name = self, name
        for names in changes:
            self._apply(names)
        self._durable, self.changes = dict(self.entries), []
        return count - kept

    def all(self) -> Iterator[Entry]:
        """It and all that is in it, the outer before the inner."""
        yield self
        for entry in self.entries.values():
            if isinstance(entry, Folder):
                yield from entry.all()
            else:
                yield entry

    def _apply(self, names: tuple[tuple[bytes, Entry | None], ...]) -> None:
        for name, entry in names:
            if entry is None:
                self.entries.pop(name, None)
            else:
                self.entries[name] = entry
                entry.parent, entry.name = self, name


def lose_power(root: Folder, loss: Loss, chance: Random) -> dict[str, int]:
    """Loses what was not flushed, or a part of it: how many bytes, of how many files, and changes of folders."""
    lost = {"bytes": 0, "files": 0, "changes": 0}
    folders = [root]
    while folders:  # names first: what has no name any more needs no loss of its own
        folder = folders.pop()
        lost["changes"] += folder.lose(loss, chance)
        for name in sorted(folder.entries):
            entry = folder.entries[name]
            if isinstance(entry, Folder):
                folders.append(entry)
            elif isinstance(entry, File) and (changed := entry.lose(loss, chance)):
                lost["bytes"] += changed
                lost["files"] += 1
    return lost


def flush_all(root: Folder) -> None:
    """All that is there is durable, as after sync(2)."""
    for entry in root.all():
        if isinstance(entry, (File, Folder)):
            entry.flush()


def unflushed(root: Folder) -> dict[str, int]:
    """What a loss of power would take now, at most: bytes and changes of folders."""
    entries = list(root.all())
    return {
        "bytes": sum(one.unflushed_bytes for one in entries if isinstance(one, File)),
        "changes": sum(len(one.changes) for one in entries if isinstance(one, Folder)),
    }
