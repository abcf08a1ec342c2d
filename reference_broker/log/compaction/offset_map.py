"""The last offset of each key, in an amount of memory that does not depend on the keys."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

HASH_SIZE: Final = 16
ENTRY: Final = struct.Struct(">16sq")
_EMPTY: Final = bytes(HASH_SIZE)
ABSENT: Final = -1
"""The offset of a key that was not seen."""


class OffsetMap:
    """Open addressing over hashes of 128 bits: 24 bytes a key, none of them kept in full.

    `latest_offset` is up to where the log has been read into it; -1 for not at all. Keys are noted and looked up many
    at a time: these loops, and the reading of records, are what compaction takes its time for.
    """

    def __init__(self, size_bytes: int, load_factor: float) -> None:
        """There is room for one key at least, and always an empty place: Kafka's load factor may be any number."""
        self._slots = max(2, size_bytes // ENTRY.size)
        self._most = min(max(1, int(self._slots * load_factor)), self._slots - 1)
        self._table = bytearray(self._slots * ENTRY.size)  # zeroed pages that are taken when they are first written
        self._count = 0
        self.latest_offset = -1

    @classmethod
    def for_keys(cls, most: int, size_bytes: int, load_factor: float) -> OffsetMap:
        """One with room for so many keys, within a size: a small one costs less memory, and is faster."""
        enough = ENTRY.size * (int(most / load_factor) + 2) if load_factor > 0 else size_bytes
        return cls(min(size_bytes, enough), load_factor)

    def __len__(self) -> int:
        return self._count

    def put_all(self, keys: Sequence[bytes | None], first: int, offset_deltas: Sequence[int]) -> bool:
        """Note keys at offsets behind all others, told from `first`; what has no key is passed over.

        False where there is no room for all of them: `latest_offset` then says how far it went.
        """
        table, slots, most, count, latest = self._table, self._slots, self._most, self._count, self.latest_offset
        pack, size, end = ENTRY.pack, ENTRY.size, self._slots * ENTRY.size
        try:
            for key, delta in zip(keys, offset_deltas, strict=True):
                if key is None:
                    continue
                if count >= most:
                    return False
                digest = blake2b(key, digest_size=HASH_SIZE).digest()
                at = int.from_bytes(digest[:8], "big") % slots * size
                while (found := table[at : at + HASH_SIZE]) != digest:  # the load factor leaves empty places
                    if found == _EMPTY:
                        count += 1
                        break
                    at += size
                    if at == end:
                        at = 0
                latest = first + delta
                table[at : at + size] = pack(digest, latest)
            return True
        finally:
            self._count, self.latest_offset = count, latest

    def last_offsets(self, keys: Sequence[bytes | None]) -> list[int]:
        """The last offset of each key, ABSENT where it was not seen or there is no key."""
        table, slots = self._table, self._slots
        size, end = ENTRY.size, self._slots * ENTRY.size
        offsets = []
        for key in keys:
            if key is None:
                offsets.append(ABSENT)
                continue
            digest = blake2b(key, digest_size=HASH_SIZE).digest()
            at = int.from_bytes(digest[:8], "big") % slots * size
            while (found := table[at : at + HASH_SIZE]) != digest:
                if found == _EMPTY:
                    break
                at += size
                if at == end:
                    at = 0
            offsets.append(ABSENT if found == _EMPTY else int.from_bytes(table[at + HASH_SIZE : at + size], "big"))
        return offsets
