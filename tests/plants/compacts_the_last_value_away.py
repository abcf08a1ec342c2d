"""Takes keys for equal of which one byte of the hash is.

**Bug** What compaction knows a key by is cut too short: of two keys that look alike only the last record of the later
one is kept. Kafka and the reference compare 128 bits of a hash.

**Rejected by**
`checks/retention/test_compacted_logs.py::test_each_reading_has_the_last_value_of_each_key[none-idempotent]`:
is missing, the last of its key
"""

from __future__ import annotations

from hashlib import blake2b

from reference_broker.log.compaction import offset_map


class _Short:
    def __init__(self, digest: bytes) -> None:
        self._digest = digest

    def digest(self) -> bytes:
        return bytes(15) + bytes([self._digest[0] & 7])


def plant() -> None:
    """Puts it in."""
    offset_map.blake2b = lambda key, digest_size: _Short(blake2b(key, digest_size=digest_size).digest())  # type: ignore[misc, assignment]
