"""A real disk behind the Protocols of `environment`."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Sequence

from reference_broker.wire.primitives import Buffer, FileSlice


class OsFile:
    """One open file; its size is counted here, so that an append needs no call to ask for it."""

    def __init__(self, path: str, *, create: bool) -> None:
        self._descriptor = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0) | os.O_CLOEXEC, 0o644)
        self._path = path
        self._size = os.fstat(self._descriptor).st_size

    @property
    def path(self) -> str:
        """Where the file is now."""
        return self._path

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return self._size

    def append(self, buffers: Sequence[Buffer]) -> int:
        """Write all buffers at the end; on any error the file is cut back to what it was, and OSError raised."""
        position = self._size
        wanted = sum(map(len, buffers))
        try:
            written = os.pwritev(self._descriptor, buffers, position)
            while written < wanted:
                written += os.pwrite(self._descriptor, b"".join(buffers)[written:], position + written)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, position)
            raise
        self._size = position + wanted
        return position

    def read_at(self, position: int, size: int) -> bytes:
        """Up to `size` bytes."""
        return os.pread(self._descriptor, size, position)

    def write_at(self, position: int, data: Buffer) -> None:
        """Overwrite in place."""
        os.pwrite(self._descriptor, data, position)
        self._size = max(self._size, position + len(data))

    def slice(self, position: int, size: int) -> FileSlice:
        """A part that sendfile can send."""
        return FileSlice(self._descriptor, position, size)

    def truncate(self, size: int) -> None:
        """Cut."""
        os.ftruncate(self._descriptor, size)
        self._size = size

    def flush(self) -> None:
        """fsync. May be called from another thread than the one that closes the file."""
        descriptor = self._descriptor
        if descriptor < 0:
            raise OSError(errno.EBADF, "the file is closed", self._path)
        os.fsync(descriptor)

    def rename(self, path: str) -> None:
        """Move."""
        os.rename(self._path, path)
        self._path = path

    def close(self) -> None:
        """Release the descriptor."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class OsDisk:
    """The operating system's file system."""

    def __init__(self) -> None:
        self._locks: dict[str, int] = {}

    def open(self, path: str, *, create: bool = False) -> OsFile:
        """Open a file for reading and appending."""
        return OsFile(path, create=create)

    def read(self, path: str) -> bytes:
        """A small file's content."""
        with open(path, "rb") as file:
            return file.read()

    def write_atomically(self, path: str, data: bytes) -> None:
        """Temporary file, fsync, rename, fsync of the folder. OSError, which names the file; then all is as before."""
        temporary = f"{path}.tmp"
        try:
            with open(temporary, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise OSError(error.errno, error.strerror, path) from error
        self.flush_directory(os.path.dirname(path))

    def write_plainly(self, path: str, data: bytes) -> None:
        """Replace without a promise."""
        with open(path, "wb") as file:
            file.write(data)

    def exists(self, path: str) -> bool:
        """Whether it is there."""
        return os.path.exists(path)

    def is_directory(self, path: str) -> bool:
        """Whether it is a folder."""
        return os.path.isdir(path)

    def list(self, path: str) -> list[str]:
        """Names, sorted."""
        return sorted(os.listdir(path))

    def size(self, path: str) -> int:
        """Bytes."""
        return os.stat(path).st_size

    def modified_ms(self, path: str) -> int:
        """Time of last modification."""
        return os.stat(path).st_mtime_ns // 1_000_000

    def make_directories(self, path: str) -> None:
        """mkdir -p."""
        os.makedirs(path, exist_ok=True)

    def rename(self, old: str, new: str) -> None:
        """Move."""
        os.replace(old, new)

    def remove(self, path: str) -> None:
        """Delete, if there."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)

    def remove_tree(self, path: str) -> None:
        """Delete a folder."""
        shutil.rmtree(path, ignore_errors=True)

    def flush_directory(self, path: str) -> None:
        """fsync a folder."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def lock(self, path: str) -> None:
        """Hold an exclusive lock; BlockingIOError when another process does."""
        if path in self._locks:
            return
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            # A POSIX record lock, as Java's FileLock takes: so Kafka and we keep each other out.
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        self._locks[path] = descriptor

    def close(self) -> None:
        """Give up all locks."""
        for descriptor in self._locks.values():
            os.close(descriptor)
        self._locks.clear()

    def absolute(self, path: str) -> str:
        """From the root on, without slashes that say nothing; else as it was given, with its dots and links."""
        whole = path if path.startswith("/") else f"{os.getcwd()}/{path}"
        return "/" + "/".join(filter(None, whole.split("/")))

    def usage(self, path: str) -> tuple[int, int]:
        """(total, usable) bytes of the volume."""
        volume = os.statvfs(path)
        return volume.f_blocks * volume.f_frsize, volume.f_bavail * volume.f_frsize
