"""The batches in a file of a segment, from its first byte to where no batch can begin, and what stands behind them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.records import HEADER_SIZE, Batch, iter_batches, parse_batch_header

CHUNK: Final = 4 * 1024 * 1024


class SegmentBatches:
    """To be gone through once; after that `end` and what follows tell why there are no more."""

    def __init__(self, path: Path) -> None:
        """OSError where the file cannot be read."""
        self._path = path
        self.size_bytes = path.stat().st_size
        self.end = 0
        """The position behind the last whole batch."""
        self.trouble = ""
        """What is wrong with the header that stands there, where one does."""
        self.is_zeros = False
        """Whether only zeros follow: the file was made longer than what was written."""

    @property
    def rest_bytes(self) -> int:
        """How many bytes are behind the last whole batch."""
        return self.size_bytes - self.end

    def __iter__(self) -> Iterator[tuple[int, Batch]]:
        """(position, batch)."""
        with self._path.open("rb") as file:
            while self.rest_bytes > 0:
                file.seek(self.end)
                data = file.read(CHUNK)
                if len(data) >= HEADER_SIZE and any(data[:HEADER_SIZE]):
                    try:
                        wanted = parse_batch_header(data).size_in_bytes
                    except MalformedRequest as error:
                        self.trouble = str(error)
                        return
                    if len(data) < wanted <= self.rest_bytes:
                        data += file.read(wanted - len(data))
                began = self.end
                for batch in _whole(data):
                    position, self.end = self.end, self.end + batch.header.size_in_bytes
                    yield position, batch
                if self.end == began:
                    self.is_zeros = not any(data)
                    return


def _whole(data: bytes) -> Iterator[Batch]:
    try:
        yield from iter_batches(data)
    except MalformedRequest:
        return  # met again at the beginning of a chunk, and told there
