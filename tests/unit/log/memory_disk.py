"""A disk in memory that loses what was not flushed, fills up and fails: on purpose, and the same way for a seed."""

from __future__ import annotations

import errno
import random
from collections.abc import Sequence

from reference_broker.wire.primitives import Buffer, FileSlice


class MemoryFile:
    """An open file of a MemoryDisk; its slices hold the descriptor -1 and are read by `MemoryDisk.bytes_of`."""

    def __init__(self, disk: MemoryDisk, path: str) -> None:
        self._disk, self.path = disk, path

    @property
    def size(self) -> int:
        return len(self._disk.files[self.path])

    def append(self, buffers: Sequence[Buffer]) -> int:
        self._disk.use(sum(map(len, buffers)))
        content = self._disk.files[self.path]
        position = len(content)
        for part in buffers:
            content += part
        return position

    def read_at(self, position: int, size: int) -> bytes:
        self._disk.use()
        return bytes(self._disk.files[self.path][position : position + size])

    def write_at(self, position: int, data: Buffer) -> None:
        self._disk.use(len(data))
        self._disk.files[self.path][position : position + len(data)] = data

    def slice(self, position: int, size: int) -> FileSlice:
        return FileSlice(-1, position, size)

    def truncate(self, size: int) -> None:
        self._disk.use()
        del self._disk.files[self.path][size:]
        self._disk.durable[self.path] = min(self._disk.durable.get(self.path, 0), size)

    def flush(self) -> None:
        self._disk.use()
        self._disk.durable[self.path] = self.size

    def rename(self, path: str) -> None:
        self._disk.rename(self.path, path)
        self.path = path

    def close(self) -> None:
        """Nothing is held."""


class MemoryDisk:
    """`free` is how many bytes may still be written; `is_broken` fails every call."""

    def __init__(self) -> None:
        self.files: dict[str, bytearray] = {}
        self.durable: dict[str, int] = {}
        self.folders: set[str] = set()
        self.free = 1 << 40
        self.is_broken = False

    def use(self, size: int = 0) -> None:
        """Every call passes here: the place to fail."""
        if self.is_broken:
            raise OSError(errno.EIO, "the disk is broken")
        if size > self.free:
            raise OSError(errno.ENOSPC, "the disk is full")
        self.free -= size

    def crash(self, chance: random.Random) -> None:
        """The machine stops: of what was not flushed, a part of any length stays, with any bytes at its end."""
        for path in sorted(self.files):
            content, durable = self.files[path], self.durable.get(path, 0)
            if len(content) == durable:
                continue
            kept = chance.randint(durable, len(content))
            torn = chance.choice([0, 0, 1, 70])
            del content[kept:]
            content += chance.randbytes(torn)
        self.is_broken = False

    def open(self, path: str, *, create: bool = False) -> MemoryFile:
        self.use()
        if path not in self.files:
            if not create:
                raise FileNotFoundError(path)
            self.files[path] = bytearray()
        return MemoryFile(self, path)

    def read(self, path: str) -> bytes:
        self.use()
        if path not in self.files:
            raise FileNotFoundError(path)
        return bytes(self.files[path])

    def write_atomically(self, path: str, data: bytes) -> None:
        self.use(len(data))
        self.files[path] = bytearray(data)
        self.durable[path] = len(data)

    def write_plainly(self, path: str, data: bytes) -> None:
        self.use(len(data))
        self.files[path] = bytearray(data)
        self.durable[path] = 0

    def exists(self, path: str) -> bool:
        self.use()
        return path in self.files or path in self.folders

    def is_directory(self, path: str) -> bool:
        self.use()
        return path in self.folders

    def list(self, path: str) -> list[str]:
        self.use()
        if path not in self.folders:
            raise FileNotFoundError(path)
        below = [
            name[len(path) + 1 :].split("/")[0] for name in [*self.files, *self.folders] if name.startswith(path + "/")
        ]
        return sorted(dict.fromkeys(below))

    def size(self, path: str) -> int:
        return len(self.read(path))

    def modified_ms(self, path: str) -> int:
        self.use()
        return 0

    def make_directories(self, path: str) -> None:
        self.use()
        parts = path.split("/")
        self.folders |= {"/".join(parts[:count]) for count in range(2, len(parts) + 1)}

    def rename(self, old: str, new: str) -> None:
        self.use()
        for name in [name for name in self.files if name == old or name.startswith(old + "/")]:
            self.files[new + name[len(old) :]] = self.files.pop(name)
            self.durable[new + name[len(old) :]] = self.durable.pop(name, 0)
        for name in [name for name in self.folders if name == old or name.startswith(old + "/")]:
            self.folders.remove(name)
            self.folders.add(new + name[len(old) :])

    def remove(self, path: str) -> None:
        self.use()
        self.files.pop(path, None)
        self.durable.pop(path, None)

    def remove_tree(self, path: str) -> None:
        for name in [name for name in self.files if name.startswith(path + "/")]:
            self.remove(name)
        self.folders = {name for name in self.folders if name != path and not name.startswith(path + "/")}

    def flush_directory(self, path: str) -> None:
        self.use()

    def lock(self, path: str) -> None:
        self.use()

    def absolute(self, path: str) -> str:
        return f"/{path.lstrip('/')}"

    def usage(self, path: str) -> tuple[int, int]:
        self.use()
        return 1 << 40, self.free
