"""What a client gave, as histories hold it."""

from __future__ import annotations

from harness.clients.client import Consumed
from harness.runs.polling import as_record


def a_record(header: bytes | None) -> Consumed:
    return Consumed(topic="t", partition=0, offset=0, timestamp=1, key=None, value=b"1.1|", headers=(("h", header),))


def test_a_header_that_is_null_is_told_apart_from_an_empty_one() -> None:
    assert as_record(a_record(None)) != as_record(a_record(b""))
