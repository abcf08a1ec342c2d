"""Which transactions of a segment were aborted, for readers with isolation level read_committed (KIP-98)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from reference_broker.environment import Disk
from reference_broker.log.indexes import CorruptIndex

ENTRY = struct.Struct(">hqqqq")
VERSION = 0


class AbortedTransaction(NamedTuple):
    """One aborted transaction: its producer, its first record, its marker, and what was stable once it had ended."""

    producer_id: int
    first_offset: int
    last_offset: int
    last_stable_offset: int


class TransactionIndex:
    """Entries in the order of their markers. The file exists only where there is one."""

    def __init__(self, disk: Disk, path: str) -> None:
        self._disk, self.path = disk, path
        self.entries: list[AbortedTransaction] = []

    def load(self) -> None:
        """Read the file; an absent one is empty. CorruptIndex when it cannot be right."""
        self.entries = []
        try:
            raw = self._disk.read(self.path)
        except FileNotFoundError:
            return
        if len(raw) % ENTRY.size:
            raise CorruptIndex(f"{self.path} has {len(raw)} bytes, no multiple of {ENTRY.size}")
        for version, *fields in ENTRY.iter_unpack(raw):
            entry = AbortedTransaction._make(fields)
            if version != VERSION or (self.entries and entry.last_offset <= self.entries[-1].last_offset):
                raise CorruptIndex(f"{self.path}: {entry} of version {version} cannot stand where it does")
            self.entries.append(entry)

    def move(self, path: str) -> None:
        """Rename its file, where there is one."""
        if self._disk.exists(self.path):
            self._disk.rename(self.path, path)
        self.path = path

    def add(self, entry: AbortedTransaction) -> None:
        """Note an aborted transaction; one that is already noted, as when a log is read again, is left out."""
        if not self.entries or entry.last_offset > self.entries[-1].last_offset:
            self.entries.append(entry)
            self._write()

    def between(self, first: int, up_to: int) -> Iterator[AbortedTransaction]:
        """Those with records at or after `first` and before `up_to`."""
        return (entry for entry in self.entries if entry.last_offset >= first and entry.first_offset < up_to)

    def cut(self, end_offset: int) -> None:
        """Forget those whose marker is at or beyond the end of the log."""
        kept = [entry for entry in self.entries if entry.last_offset < end_offset]
        if len(kept) != len(self.entries):
            self.entries = kept
            self._write()

    def _write(self) -> None:
        self._disk.write_plainly(self.path, b"".join(ENTRY.pack(VERSION, *entry) for entry in self.entries))
