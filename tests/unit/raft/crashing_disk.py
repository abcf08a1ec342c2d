"""A disk in memory that loses in a crash what was not flushed; names of files are durable at once."""

from __future__ import annotations

import random
from collections.abc import Sequence

from reference_broker.wire.primitives import Buffer, FileSlice


class CrashingFile:
    """Its bytes as written, and as a crash would leave them."""

    def __init__(self, disk: CrashingDisk, path: str) -> None:
        self._disk, self._path = disk, path
        self.data = bytearray()
        self.durable = bytearray()
        self._changed_from = 0

    @property
    def path(self) -> str:
        return self._path

    @property
    def size(self) -> int:
        return len(self.data)

    def append(self, buffers: Sequence[Buffer]) -> int:
        position = len(self.data)
        for buffer in buffers:
            self.data += buffer
        return position

    def read_at(self, position: int, size: int) -> bytes:
        return bytes(self.data[position : position + size])

    def write_at(self, position: int, data: Buffer) -> None:
        self.data[position : position + len(data)] = data
        self._changed_from = min(self._changed_from, position)

    def slice(self, position: int, size: int) -> FileSlice:
        return FileSlice(-1, position, size)

    def truncate(self, size: int) -> None:
        del self.data[size:]
        self.data += bytes(size - len(self.data))
        self._changed_from = min(self._changed_from, size)

    def flush(self) -> None:
        del self.durable[self._changed_from :]
        self.durable += self.data[len(self.durable) :]
        self._changed_from = len(self.durable)

    def rename(self, path: str) -> None:
        self._disk.rename(self._path, path)
        self._path = path

    def close(self) -> None:
        """Nothing to release."""

    def crash(self, chance: random.Random) -> None:
        """Lose what was not flushed; of an append, a random part may have reached the disk."""
        kept = self.durable
        if self._changed_from >= len(kept) and len(self.data) > len(kept) and chance.random() < 0.5:
            kept = self.data[: chance.randrange(len(kept), len(self.data) + 1)]
        self.data, self.durable = bytearray(kept), bytearray(kept)
        self._changed_from = len(kept)


class CrashingDisk:
    """Files by path; folders are those that files lie in, or that were made."""

    def __init__(self) -> None:
        self.files: dict[str, CrashingFile] = {}
        self._folders: dict[str, None] = {}

    def crash(self, chance: random.Random) -> None:
        """The power goes."""
        for file in self.files.values():
            file.crash(chance)

    def open(self, path: str, *, create: bool = False) -> CrashingFile:
        file = self.files.get(path)
        if file is None:
            if not create:
                raise FileNotFoundError(path)
            file = self.files[path] = CrashingFile(self, path)
        return file

    def read(self, path: str) -> bytes:
        return bytes(self.open(path).data)

    def write_atomically(self, path: str, data: bytes) -> None:
        file = self.files[path] = CrashingFile(self, path)
        file.append((data,))
        file.flush()

    def write_plainly(self, path: str, data: bytes) -> None:
        self.files[path] = CrashingFile(self, path)
        self.files[path].append((data,))

    def exists(self, path: str) -> bool:
        return path in self.files or self.is_directory(path)

    def is_directory(self, path: str) -> bool:
        return path in self._folders or any(name.startswith(path + "/") for name in self.files)

    def list(self, path: str) -> list[str]:
        if not self.is_directory(path):
            raise FileNotFoundError(path)
        inside = [name[len(path) + 1 :] for name in (*self.files, *self._folders) if name.startswith(path + "/")]
        return sorted({name.partition("/")[0] for name in inside})

    def size(self, path: str) -> int:
        return self.open(path).size

    def modified_ms(self, path: str) -> int:
        return 0

    def make_directories(self, path: str) -> None:
        self._folders[path] = None

    def rename(self, old: str, new: str) -> None:
        self.files[new] = self.files.pop(old)

    def remove(self, path: str) -> None:
        self.files.pop(path, None)

    def remove_tree(self, path: str) -> None:
        for name in [name for name in self.files if name.startswith(path + "/")]:
            del self.files[name]
        self._folders.pop(path, None)

    def flush_directory(self, path: str) -> None:
        """Names are durable at once."""

    def lock(self, path: str) -> None:
        """Nobody else is there."""

    def absolute(self, path: str) -> str:
        return path

    def usage(self, path: str) -> tuple[int, int]:
        return 1 << 40, 1 << 39
