"""Java's hash of a string, which decides where a group lives."""

from __future__ import annotations


def java_hash(text: str) -> int:
    """String.hashCode: over UTF-16 units, wrapped to 32 bits with a sign."""
    value = 0
    raw = text.encode("utf-16-be", "surrogatepass")
    for at in range(0, len(raw), 2):
        value = (value * 31 + (raw[at] << 8 | raw[at + 1])) & 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def partition_for(key: str, partitions: int) -> int:
    """The partition of an internal topic that a coordinator's key belongs to."""
    hashed = java_hash(key)
    return (0 if hashed == -(1 << 31) else abs(hashed)) % partitions
