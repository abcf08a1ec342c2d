"""A disk in memory that keeps what was flushed apart from what was only written.

After `crash` there is what was flushed. Of the rest a part may be there, as after a loss of power: each file may be
torn at any byte, with bytes behind it that nobody wrote, and each folder has the first of its changes, up to any one.
A disk may also be slow (`flush_limits_us`, heeded by the world), fill up (`free`), or fail as a whole (`is_broken`) or
in some folders (`broken_folders`).
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from reference_broker.environment import Random
from reference_broker.wire.primitives import Buffer, FileSlice

ROOM = 1 << 40
"""How many bytes a disk has room for."""
TORN_BYTES = (0, 0, 1, 70)
"""How many bytes that nobody wrote may stand at a torn end."""


class Content:
    """A file's bytes. The first `stable` of them are durable; behind them the disk still has `lost_tail`.

    `lost_tail` is what was durable before a truncation or an overwriting that was not flushed yet.
    """

    __slots__ = ("data", "lost_tail", "modified_ms", "number", "stable")

    def __init__(self, number: int, now_ms: int) -> None:
        self.number, self.modified_ms = number, now_ms
        self.data = bytearray()
        self.stable = 0
        self.lost_tail = b""

    def flush(self) -> None:
        """All bytes are durable."""
        self.stable, self.lost_tail = len(self.data), b""

    def change_from(self, position: int) -> None:
        """The bytes from a position on are about to change."""
        if position < self.stable:
            self.lost_tail = bytes(self.data[position : self.stable]) + self.lost_tail
            self.stable = position

    def crash(self, chance: Random) -> None:
        """Lose what was not flushed: all, or what stands behind some byte of it."""
        if self.stable == len(self.data) and not self.lost_tail:
            return
        if chance.randrange(0, 2):
            del self.data[self.stable :]
            self.data += self.lost_tail
        else:
            del self.data[chance.randrange(self.stable, len(self.data) + 1) :]
            self.data += chance.randbytes(TORN_BYTES[chance.randrange(0, len(TORN_BYTES))])
        self.flush()


class Folder:
    """Names and what they stand for. `changes` since the last flush are lost in a crash from some one on."""

    __slots__ = ("changes", "durable", "entries")

    def __init__(self) -> None:
        self.entries: dict[str, Content | Folder] = {}
        self.durable: dict[str, Content | Folder] = {}
        self.changes: list[tuple[tuple[str, Content | Folder | None], ...]] = []

    def set(self, *names: tuple[str, Content | Folder | None]) -> None:
        """Give names to something, or to nothing, all together."""
        _apply(names, self.entries)
        self.changes.append(names)

    def flush(self) -> None:
        """All names are durable."""
        if self.changes:
            self.durable = dict(self.entries)
            self.changes.clear()

    def flush_all(self) -> None:
        """All names are durable, and all that is below."""
        self.flush()
        for entry in self.entries.values():
            if isinstance(entry, Folder):
                entry.flush_all()
            else:
                entry.flush()

    def crash(self, chance: Random) -> None:
        """Lose changes, and what was not flushed of all that is below."""
        kept = chance.randrange(0, len(self.changes) + 1) if self.changes else 0
        entries = self.durable
        for names in self.changes[:kept]:
            _apply(names, entries)
        self.entries, self.durable = entries, dict(entries)
        self.changes.clear()
        for name in sorted(entries):
            entries[name].crash(chance)


class SimulatedFile:
    """An open file."""

    def __init__(self, disk: SimulatedDisk, path: str, content: Content) -> None:
        self._disk, self._path, self._content = disk, path, content
        self._is_open = True

    @property
    def path(self) -> str:
        """Where the file is now."""
        return self._path

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return len(self._content.data)

    def append(self, buffers: Sequence[Buffer]) -> int:
        """Write all buffers at the end."""
        data = self._content.data
        position = len(data)
        size = sum(map(len, buffers))
        if size > self._disk.free:
            # As much as there is room for is written before the rest fails.
            data += b"".join(buffers)[: self._disk.free]
        self._use(size)
        for part in buffers:
            data += part
        self._content.modified_ms = self._disk.now_ms()
        return position

    def read_at(self, position: int, size: int) -> bytes:
        """Up to `size` bytes."""
        self._use()
        return bytes(self._content.data[position : position + size])

    def write_at(self, position: int, data: Buffer) -> None:
        """Overwrite in place; a hole before the position is filled with zeros."""
        self._use(len(data))
        self._content.change_from(position)
        self._content.data += bytes(max(0, position - self.size))
        self._content.data[position : position + len(data)] = data
        self._content.modified_ms = self._disk.now_ms()

    def slice(self, position: int, size: int) -> FileSlice:
        """A part to send; `SimulatedDisk.bytes_of` has its bytes."""
        return FileSlice(self._content.number, position, size)

    def truncate(self, size: int) -> None:
        """Cut."""
        self._use()
        self._content.change_from(size)
        del self._content.data[size:]

    def flush(self) -> None:
        """All bytes are durable from now on."""
        self._use()
        self._content.flush()

    def rename(self, path: str) -> None:
        """Move."""
        self._use()
        self._disk.rename(self._path, path)
        self._path = path

    def close(self) -> None:
        """Release the file."""
        self._is_open = False

    def _use(self, size: int = 0) -> None:
        if not self._is_open:
            raise OSError(errno.EBADF, "the file is closed", self._path)
        self._disk.use(self._path, size)


class SimulatedDisk:
    """The file system of one node. `flush_limits_us` is how long a flush takes, for the world that carries it out."""

    def __init__(self, now_ms: Callable[[], int] = lambda: 0) -> None:
        self.now_ms = now_ms
        self.free = ROOM
        self.flush_limits_us = (100, 1000)
        self.is_broken = False
        self.broken_folders: dict[str, None] = {}
        """Paths of folders in which nothing works, each with '/' at its end."""
        self.has_failed = False
        """Whether any use of it has failed since it was mended."""
        self._is_spared = False
        self._root = Folder()
        self._locks: dict[str, None] = {}
        self._contents: list[Content] = []

    # -- faults -------------------------------------------------------------------------------------------------

    def use(self, path: str, size: int = 0) -> None:
        """Each use of the disk passes here. OSError where it is broken, or has no room for `size` more bytes."""
        if self._is_spared:
            return
        if self.is_broken or (self.broken_folders and any(f"{path}/".startswith(one) for one in self.broken_folders)):
            self.has_failed = True
            raise OSError(errno.EIO, "the disk is broken", path)
        if size > self.free:
            self.has_failed = True
            raise OSError(errno.ENOSPC, "the disk is full", path)
        self.free -= size

    @contextmanager
    def spared(self) -> Iterator[None]:
        """Nothing fails within: somebody looks at the files whom the node does not know of."""
        self._is_spared = True
        try:
            yield
        finally:
            self._is_spared = False

    def mend(self) -> None:
        """It works again, all of it, and has room; what was written is still there."""
        self.is_broken = self.has_failed = False
        self.broken_folders.clear()
        self.free = ROOM

    def flush_us(self, chance: Random) -> int:
        """How long the next flush takes."""
        return chance.randrange(self.flush_limits_us[0], self.flush_limits_us[1] + 1)

    def crash(self, chance: Random) -> None:
        """The machine loses power: what was not flushed is lost, or a part of it, and all locks are free."""
        self._root.crash(chance)
        self._locks.clear()

    def flush_all(self) -> None:
        """All that was written is durable."""
        self._root.flush_all()

    def stop(self) -> None:
        """The process ends and the machine goes on: what was written stays, and all locks are free."""
        self._locks.clear()

    def bytes_of(self, part: FileSlice) -> bytes:
        """The bytes of a slice that a file of this disk gave."""
        return bytes(self._contents[part.descriptor].data[part.position : part.position + part.size])

    # -- the tree -----------------------------------------------------------------------------------------------

    def _find(self, path: str) -> Content | Folder | None:
        found: Content | Folder | None = self._root
        for name in _parts(path):
            if not isinstance(found, Folder):
                return None
            found = found.entries.get(name)
        return found

    def _folder(self, path: str) -> Folder:
        found = self._find(path)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, "there is no such folder", path)
        if not isinstance(found, Folder):
            raise NotADirectoryError(errno.ENOTDIR, "it is a file", path)
        return found

    def _content(self, path: str) -> Content:
        found = self._find(path)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, "there is no such file", path)
        if not isinstance(found, Content):
            raise IsADirectoryError(errno.EISDIR, "it is a folder", path)
        return found

    def _parent(self, path: str) -> tuple[Folder, str]:
        parent, _, name = path.rstrip("/").rpartition("/")
        return self._folder(parent), name

    def _create(self, path: str) -> Content:
        folder, name = self._parent(path)
        content = Content(len(self._contents), self.now_ms())
        self._contents.append(content)
        folder.set((name, content))
        return content

    # -- files --------------------------------------------------------------------------------------------------

    def open(self, path: str, *, create: bool = False) -> SimulatedFile:
        """Open a file."""
        self.use(path)
        if create and self._find(path) is None:
            return SimulatedFile(self, path, self._create(path))
        return SimulatedFile(self, path, self._content(path))

    def read(self, path: str) -> bytes:
        """A small file's content."""
        self.use(path)
        return bytes(self._content(path).data)

    def write_atomically(self, path: str, data: bytes) -> None:
        """Replace a file; the new content and its name are durable on return."""
        self.use(path, len(data))
        content = self._create(path)
        content.data += data
        content.flush()
        self._parent(path)[0].flush()

    def write_plainly(self, path: str, data: bytes) -> None:
        """Replace a file that can be rebuilt."""
        self.use(path, len(data))
        found = self._find(path)
        content = found if isinstance(found, Content) else self._create(path)
        content.change_from(0)
        content.data[:] = data
        content.modified_ms = self.now_ms()

    def size(self, path: str) -> int:
        """Bytes in a file."""
        self.use(path)
        return len(self._content(path).data)

    def modified_ms(self, path: str) -> int:
        """Time of last modification."""
        self.use(path)
        return self._content(path).modified_ms

    def remove(self, path: str) -> None:
        """Delete a file, if there."""
        self.use(path)
        if isinstance(self._find(path), Content):
            folder, name = self._parent(path)
            folder.set((name, None))

    # -- folders ------------------------------------------------------------------------------------------------

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""
        self.use(path)
        return self._find(path) is not None

    def is_directory(self, path: str) -> bool:
        """Whether it is a folder."""
        self.use(path)
        return isinstance(self._find(path), Folder)

    def list(self, path: str) -> list[str]:
        """Names, sorted."""
        self.use(path)
        return sorted(self._folder(path).entries)

    def make_directories(self, path: str) -> None:
        """Create a folder and its parents."""
        self.use(path)
        folder = self._root
        for name in _parts(path):
            found = folder.entries.get(name)
            if found is None:
                found = Folder()
                folder.set((name, found))
            if not isinstance(found, Folder):
                raise NotADirectoryError(errno.ENOTDIR, "it is a file", path)
            folder = found

    def rename(self, old: str, new: str) -> None:
        """Move a file or folder."""
        self.use(old)
        source, name = self._parent(old)
        entry = source.entries.get(name)
        if entry is None:
            raise FileNotFoundError(errno.ENOENT, "there is no such file", old)
        target, new_name = self._parent(new)
        if target is source:
            source.set((new_name, entry), (name, None))
        else:
            target.set((new_name, entry))
            source.set((name, None))

    def remove_tree(self, path: str) -> None:
        """Delete a folder with all it holds, if there."""
        self.use(path)
        if isinstance(self._find(path), Folder):
            folder, name = self._parent(path)
            folder.set((name, None))

    def flush_directory(self, path: str) -> None:
        """All names in a folder are durable from now on."""
        self.use(path)
        self._folder(path).flush()

    def lock(self, path: str) -> None:
        """Hold a lock file; BlockingIOError where it is held."""
        self.use(path)
        if path in self._locks:
            raise BlockingIOError(errno.EAGAIN, "another process holds the lock", path)
        if self._find(path) is None:
            self._create(path)
        self._locks[path] = None

    def absolute(self, path: str) -> str:
        """From the root on."""
        return "/" + "/".join(_parts(path))

    def usage(self, path: str) -> tuple[int, int]:
        """(total, usable) bytes."""
        self.use(path)
        return ROOM, self.free


def _apply(names: Sequence[tuple[str, Content | Folder | None]], entries: dict[str, Content | Folder]) -> None:
    for name, entry in names:
        if entry is None:
            entries.pop(name, None)
        else:
            entries[name] = entry


def _parts(path: str) -> list[str]:
    return [name for name in path.split("/") if name]
