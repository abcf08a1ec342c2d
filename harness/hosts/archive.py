"""Folders of a node brought here as a tar stream."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.hosts.host import HostTrouble

INDEXES = "*index"
"""Indexes of segments: preallocated, large, and derived from the segments."""


def unpack(chunks: Iterable[bytes], into: Path, name: str) -> None:
    """Unpacks a tar stream below a folder, without the indexes of segments. HostTrouble when it is none."""
    try:
        with tarfile.open(fileobj=_Stream(iter(chunks)), mode="r|") as archive:
            for member in archive:
                if not member.name.endswith("index"):
                    archive.extract(member, into, filter="data")
    except (tarfile.TarError, OSError) as trouble:
        raise HostTrouble(f"{name}: its log folders could not be copied: {trouble}") from trouble


class _Stream(io.RawIOBase):
    """Chunks as a file that is read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._rest) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._rest += chunk
        found = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(found) :]
        return found
