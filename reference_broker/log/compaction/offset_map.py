"""The last offset of each key, in an amount of memory that does not depend on the keys."""

from __future__ import annotations

import struct
from hashlib import blake2b
from typing import Final

HASH_SIZE: Final = 16
ENTRY: Final = struct.Struct(">16sq")
_EMPTY: Final = bytes(8)


class OffsetMap:
    """Open addressing over hashes of 128 bits: 24 bytes a key, none of them kept in full.

    `latest_offset` is up to where the log has been read into it; -1 for not at all.
    """

    def __init__(self, size_bytes: int, load_factor: float) -> None:
        """ValueError where not even one key has room."""
        self._slots = size_bytes // ENTRY.size
        self._most = int(self._slots * load_factor)
        if self._most < 1:
            raise ValueError(
                f"{size_bytes} bytes filled by {load_factor:g} have no room for a key ({ENTRY.size} bytes)"
            )
        self._table = bytearray(self._slots * ENTRY.size)  # zeroed pages that are taken when they are first written
        self._count = 0
        self.latest_offset = -1

    def __len__(self) -> int:
        return self._count

    @property
    def is_full(self) -> bool:
        """Whether no other key may be added."""
        return self._count >= self._most

    def put(self, key: bytes, offset: int) -> None:
        """Note the key at an offset behind all others. The caller looks at `is_full` first."""
        digest = blake2b(key, digest_size=HASH_SIZE).digest()
        at = self._place_of(digest)
        if self._table[at + HASH_SIZE : at + ENTRY.size] == _EMPTY:
            self._count += 1
        ENTRY.pack_into(self._table, at, digest, offset + 1)

    def get(self, key: bytes) -> int:
        """The last offset of a key; -1 where it was not seen."""
        at = self._place_of(blake2b(key, digest_size=HASH_SIZE).digest())
        return int.from_bytes(self._table[at + HASH_SIZE : at + ENTRY.size], "big") - 1

    def _place_of(self, digest: bytes) -> int:
        """Where an entry stands, or would: the load factor leaves empty places, so that the search ends."""
        table, slots = self._table, self._slots
        slot = int.from_bytes(digest[:8], "big") % slots
        while True:
            at = slot * ENTRY.size
            if table[at : at + HASH_SIZE] == digest or table[at + HASH_SIZE : at + ENTRY.size] == _EMPTY:
                return at
            slot = slot + 1 if slot + 1 < slots else 0
