"""A disk that remembers its first failure: from then on nothing of it is used, because nothing of it is sure.

An OSError turns into KAFKA_STORAGE_ERROR here, so that a request answers as Kafka does, and whoever owns the folder is
told once. A file that is absent is no failure where a caller may ask for it (FileNotFoundError passes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from reference_broker.environment import Disk, File
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import Buffer, FileSlice
from reference_broker.wire.refusal import KafkaError


class Watch:
    """The state of one disk: its first failure, and whom to tell."""

    def __init__(self, path: str, tell: Callable[[OSError], None]) -> None:
        self._path, self._tell = path, tell
        self.failure: OSError | None = None

    def fail(self, error: OSError) -> KafkaError:
        """Note a failure; the refusal to raise."""
        if self.failure is None:
            self.failure = error
            self._tell(error)
        return KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, f"the log folder {self._path} is offline: {self.failure}")

    def check(self) -> None:
        """KAFKA_STORAGE_ERROR once the disk has failed."""
        if self.failure is not None:
            raise self.fail(self.failure)

    @contextmanager
    def guard(self, *, may_be_absent: bool = False) -> Iterator[None]:
        """Around one use of the disk."""
        self.check()
        try:
            yield
        except FileNotFoundError as error:
            if may_be_absent:
                raise
            raise self.fail(error) from error
        except OSError as error:
            raise self.fail(error) from error


class WatchedFile:
    """A file of a watched disk. The calls of every Produce and Fetch are written out, without a context manager."""

    def __init__(self, file: File, watch: Watch) -> None:
        self._file, self._watch = file, watch

    @property
    def unwatched(self) -> File:
        """The file itself."""
        return self._file

    @property
    def path(self) -> str:
        """Where the file is now."""
        return self._file.path

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return self._file.size

    def append(self, buffers: Sequence[Buffer]) -> int:
        """Write at the end."""
        if self._watch.failure is not None:
            self._watch.check()
        try:
            return self._file.append(buffers)
        except OSError as error:
            raise self._watch.fail(error) from error

    def read_at(self, position: int, size: int) -> bytes:
        """Up to `size` bytes."""
        if self._watch.failure is not None:
            self._watch.check()
        try:
            return self._file.read_at(position, size)
        except OSError as error:
            raise self._watch.fail(error) from error

    def write_at(self, position: int, data: Buffer) -> None:
        """Overwrite in place."""
        with self._watch.guard():
            self._file.write_at(position, data)

    def slice(self, position: int, size: int) -> FileSlice:
        """A part that a socket can send."""
        if self._watch.failure is not None:
            self._watch.check()
        return self._file.slice(position, size)

    def truncate(self, size: int) -> None:
        """Cut."""
        with self._watch.guard():
            self._file.truncate(size)

    def flush(self) -> None:
        """Bring to stable storage."""
        with self._watch.guard():
            self._file.flush()

    def rename(self, path: str) -> None:
        """Move."""
        with self._watch.guard():
            self._file.rename(path)

    def close(self) -> None:
        """Release; works on a broken disk, too."""
        self._file.close()


def unwatched_file(file: File) -> File:
    """The file itself. A flush in another thread uses it: whoever asked for the flush tells the watch of a failure."""
    return file.unwatched if isinstance(file, WatchedFile) else file


def unwatched_disk(disk: Disk) -> Disk:
    """The same for a disk."""
    return disk.unwatched if isinstance(disk, WatchedDisk) else disk


class WatchedDisk:
    """A disk whose failures a `Watch` sees."""

    def __init__(self, disk: Disk, watch: Watch) -> None:
        self._disk, self._watch = disk, watch

    @property
    def unwatched(self) -> Disk:
        """The disk itself."""
        return self._disk

    def open(self, path: str, *, create: bool = False) -> File:
        """Open a file."""
        with self._watch.guard(may_be_absent=not create):
            return WatchedFile(self._disk.open(path, create=create), self._watch)

    def read(self, path: str) -> bytes:
        """A small file's content."""
        with self._watch.guard(may_be_absent=True):
            return self._disk.read(path)

    def write_atomically(self, path: str, data: bytes) -> None:
        """Replace a file that has to survive."""
        with self._watch.guard():
            self._disk.write_atomically(path, data)

    def write_plainly(self, path: str, data: bytes) -> None:
        """Replace a file that can be rebuilt."""
        with self._watch.guard():
            self._disk.write_plainly(path, data)

    def exists(self, path: str) -> bool:
        """Whether it is there."""
        with self._watch.guard():
            return self._disk.exists(path)

    def is_directory(self, path: str) -> bool:
        """Whether it is a folder."""
        with self._watch.guard():
            return self._disk.is_directory(path)

    def list(self, path: str) -> list[str]:
        """Names in a folder."""
        with self._watch.guard(may_be_absent=True):
            return self._disk.list(path)

    def size(self, path: str) -> int:
        """Bytes in a file."""
        with self._watch.guard(may_be_absent=True):
            return self._disk.size(path)

    def modified_ms(self, path: str) -> int:
        """Time of last modification."""
        with self._watch.guard(may_be_absent=True):
            return self._disk.modified_ms(path)

    def make_directories(self, path: str) -> None:
        """Create a folder."""
        with self._watch.guard():
            self._disk.make_directories(path)

    def rename(self, old: str, new: str) -> None:
        """Move."""
        with self._watch.guard():
            self._disk.rename(old, new)

    def remove(self, path: str) -> None:
        """Delete a file."""
        with self._watch.guard():
            self._disk.remove(path)

    def remove_tree(self, path: str) -> None:
        """Delete a folder."""
        with self._watch.guard():
            self._disk.remove_tree(path)

    def flush_directory(self, path: str) -> None:
        """Make a folder's changes durable."""
        with self._watch.guard():
            self._disk.flush_directory(path)

    def lock(self, path: str) -> None:
        """Take a lock file. OSError passes: another process holding it is no failure of the disk."""
        self._disk.lock(path)

    def absolute(self, path: str) -> str:
        """From the root on; the disk is not used for it."""
        return self._disk.absolute(path)

    def usage(self, path: str) -> tuple[int, int]:
        """(total, usable) bytes."""
        with self._watch.guard():
            return self._disk.usage(path)
