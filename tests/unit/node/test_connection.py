"""A connection cuts its stream into requests, one at a time, whatever the pieces that it comes in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_broker.connection import Connection, Landings
from reference_broker.effects import ConnectionId
from reference_broker.wire.primitives import MalformedRequest

REQUEST = object()


def framed(*requests: bytes) -> bytes:
    return b"".join(len(one).to_bytes(4, "big") + one for one in requests)


def connection(largest: int = 1 << 20) -> Connection:
    return Connection(ConnectionId(1), "PLAINTEXT", "127.0.0.1", largest)


def all_frames(client: Connection) -> list[bytes]:
    found = []
    while (frame := client.next_frame()) is not None:
        found.append(bytes(frame))
    return found


@given(st.lists(st.binary(max_size=50), max_size=8), st.data())
def test_frames_do_not_depend_on_how_the_stream_is_cut(requests: list[bytes], data: st.DataObject) -> None:
    stream = framed(*requests)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    client = connection()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        if end > start:
            client.receive(stream[start:end])
            found += all_frames(client)
    assert found == requests


def test_byte_by_byte_is_the_same_as_whole() -> None:
    client = connection()
    found = []
    for at in range(len(stream := framed(b"one", b"", b"three"))):
        client.receive(stream[at : at + 1])
        found += all_frames(client)
    assert found == [b"one", b"", b"three"]


def test_the_next_request_waits_for_the_answer_to_the_one_before() -> None:
    client = connection()
    client.receive(framed(b"first", b"second"))
    client.next_frame()
    client.in_progress = REQUEST
    assert client.next_frame() is None


def test_the_next_request_waits_until_the_answer_is_written() -> None:
    client = connection()
    client.receive(framed(b"first", b"second"))
    client.next_frame()
    client.is_writing = True
    assert client.next_frame() is None


def test_nothing_is_read_while_a_request_is_in_progress() -> None:
    client = connection()
    client.in_progress = REQUEST
    assert client.wanted_bytes == 0


def test_nothing_is_read_while_whole_requests_wait() -> None:
    client = connection()
    client.receive(framed(b"first"))
    assert client.wanted_bytes == 0


def test_a_large_request_is_read_in_large_pieces() -> None:
    client = connection()
    client.receive((500_000).to_bytes(4, "big") + b"x")
    assert client.wanted_bytes == 499_999


LARGE = bytes(range(256)) * 1024


def land(client: Connection, data: bytes) -> None:
    room = client.landing
    assert room is not None
    room[: len(data)] = data
    client.land(len(data))


def test_the_rest_of_a_large_request_lands_in_a_buffer_of_its_size() -> None:
    client = connection()
    stream = framed(b"small", LARGE)
    client.receive(stream[:100_000])
    assert all_frames(client) == [b"small"]
    assert client.wanted_bytes == len(stream) - 100_000
    land(client, stream[100_000:200_000])
    assert client.next_frame() is None
    land(client, stream[200_000:])
    assert all_frames(client) == [LARGE]
    client.receive(framed(b"next"))
    assert all_frames(client) == [b"next"]


def test_no_buffer_is_made_on_the_word_of_a_size_alone() -> None:
    client = connection()
    client.receive(len(LARGE).to_bytes(4, "big") + LARGE[:1000])
    assert client.landing is None
    client.receive(LARGE[1000:])
    assert all_frames(client) == [LARGE]


def test_a_buffer_that_is_no_longer_looked_at_is_used_again() -> None:
    landings = Landings()
    landings.take(1000)[0] = 7
    assert landings.take(900)[0] == 7


def test_a_buffer_that_is_looked_at_stays_as_it_is() -> None:
    landings = Landings()
    part = landings.take(1000)[10:20]
    landings.take(1000)[10] = 7
    assert part[0] == 0


@pytest.mark.parametrize("size", [-1, 101])
def test_a_size_that_no_request_may_have_is_malformed(size: int) -> None:
    client = connection(largest=100)
    with pytest.raises(MalformedRequest, match=f"a request of {size} bytes"):
        client.receive(size.to_bytes(4, "big", signed=True))
