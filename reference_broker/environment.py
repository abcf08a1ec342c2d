"""What the outside lends to the broker: time, randomness and disks. Time comes as an argument, never from here.

The broker's core names only these Protocols; `reference_broker.server` implements them for a real machine, and the
simulation for virtual time. Every method that touches a disk may raise `OSError`: the log folder it belongs to is
then offline, and whoever called must not go on as if it had worked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from reference_broker.wire.primitives import Buffer, FileSlice


class Now(Struct, frozen=True):
    """The time at one node.

    `wall_ms` is its wall clock in ms since the epoch: it stamps records and may jump. `monotonic_ms` only grows, from a
    start that means nothing: it measures how long something took or may take.
    """

    wall_ms: int
    monotonic_ms: int


class Random(Protocol):
    """A source of randomness, seeded by whoever lends it (`random.Random` fits)."""

    def randrange(self, start: int, stop: int) -> int:
        """A whole number in [start, stop)."""

    def randbytes(self, n: int) -> bytes:
        """n random bytes."""


class File(Protocol):
    """One open file, read by position and written at its end unless a position is given."""

    @property
    def path(self) -> str:
        """The path it was opened at, or renamed to."""

    @property
    def size(self) -> int:
        """Its size in bytes, as written through this object."""

    def append(self, buffers: Sequence[Buffer]) -> int:
        """Write all buffers at the end, in order; returns the position of the first byte. All or OSError."""

    def read_at(self, position: int, size: int) -> bytes:
        """Up to `size` bytes from `position`; fewer at the end of the file."""

    def write_at(self, position: int, data: Buffer) -> None:
        """Overwrite bytes in place; may extend the file."""

    def slice(self, position: int, size: int) -> FileSlice:
        """A part of this file that a socket can send without copying it through the process."""

    def truncate(self, size: int) -> None:
        """Cut the file to `size` bytes."""

    def flush(self) -> None:
        """Return only when all bytes are on stable storage (fsync)."""

    def rename(self, path: str) -> None:
        """Move the file to `path`; the object goes on as that file."""

    def close(self) -> None:
        """Release the file; slices taken before stay readable until their holder drops them."""


class Disk(Protocol):
    """A file system. Paths are strings, joined with '/'."""

    def open(self, path: str, *, create: bool = False) -> File:
        """Open for reading and appending; FileNotFoundError where it is absent and `create` is not given."""

    def read(self, path: str) -> bytes:
        """The whole content of a small file; FileNotFoundError where absent."""

    def write_atomically(self, path: str, data: bytes) -> None:
        """Replace a small file so that a crash leaves the old or the new content: temporary file, fsync, rename,
        fsync of the folder."""

    def write_plainly(self, path: str, data: bytes) -> None:
        """Replace a file that can be rebuilt from others: no fsync, no promise after a crash."""

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""

    def is_directory(self, path: str) -> bool:
        """Whether it is a folder."""

    def list(self, path: str) -> list[str]:
        """Names in a folder, sorted; FileNotFoundError where absent."""

    def size(self, path: str) -> int:
        """Bytes in a file, without opening it."""

    def modified_ms(self, path: str) -> int:
        """Time of last modification, in ms since the epoch."""

    def make_directories(self, path: str) -> None:
        """Create a folder and its parents; no error where it exists."""

    def rename(self, old: str, new: str) -> None:
        """Move a file or folder, replacing a file."""

    def remove(self, path: str) -> None:
        """Delete a file; no error where absent."""

    def remove_tree(self, path: str) -> None:
        """Delete a folder with all it holds; no error where absent."""

    def flush_directory(self, path: str) -> None:
        """Make creations, renames and removals in a folder durable."""

    def lock(self, path: str) -> None:
        """Take an exclusive lock file for the life of the process; OSError where another process holds it."""

    def absolute(self, path: str) -> str:
        """A path from the root on, as a person would find it."""

    def usage(self, path: str) -> tuple[int, int]:
        """(total bytes, usable bytes) of the volume that holds `path`."""
