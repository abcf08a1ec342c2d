"""Kafka's hash of keys."""

from __future__ import annotations

import pytest

from harness.clients.murmur2 import murmur2, partition_of

# Computed with org.apache.kafka.common.utils.Utils.murmur2 of 4.3.1, as signed 32-bit numbers.
KNOWN = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536, b"abc": 479470107}


@pytest.mark.parametrize(("key", "signed"), KNOWN.items(), ids=lambda part: str(part))
def test_the_hash_is_kafka_s(key: bytes, signed: int) -> None:
    assert murmur2(key) == signed % 2**32


def test_a_partition_is_never_negative() -> None:
    assert all(0 <= partition_of(b"%d" % number, 7) < 7 for number in range(1000))
