"""Clients that misbehave are cut off or held back; others do not notice, and memory stays bounded."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from broker_process import Broker

from harness.clients.connection import RawConnection
from harness.clients.leader_connections import RawAdmin
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.framing import decode_response, encode_request
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic
from reference_broker.wire.messages.metadata_request import MetadataRequest
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.records import Record, encode_batch

SLOW_READS = 2_000
BACKLOG = 40
"""Less than socket.listen.backlog.size."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One broker for all tests of this file: what one client does must not matter to the next."""
    made = Broker(tmp_path_factory.mktemp("bad-clients"))
    made.write_file()
    assert made.format().returncode == 0
    made.start()
    yield made
    assert made.end() == 0


@pytest.fixture
def address(server: Broker) -> Iterator[tuple[str, int]]:
    """Where it listens; afterwards it must still answer a client that behaves."""
    yield ("127.0.0.1", server.port)
    bystander = RawConnection("127.0.0.1", server.port)
    assert bystander.request(ApiKey.API_VERSIONS, 4, said_who()).error_code == 0
    bystander.close()


def said_who() -> ApiVersionsRequest:
    return ApiVersionsRequest(client_software_name="test", client_software_version="1")


def frame(key: int, version: int, message: Any, correlation_id: int = 1) -> bytes:
    return b"".join(bytes(part) for part in encode_request(key, version, correlation_id, "test", message))  # type: ignore[arg-type]


def is_closed(client: socket.socket) -> bool:
    """Whether the broker closes the connection without a word."""
    client.settimeout(5)
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def exactly(client: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = client.recv(size - len(found))
        assert part, "the connection was closed"
        found += part
    return found


def receive(client: socket.socket) -> bytes:
    return exactly(client, int.from_bytes(exactly(client, 4), "big"))


def resident_kb(server: Broker) -> int:
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


@pytest.mark.parametrize(
    "sent",
    [
        struct.pack(">i", -1),
        struct.pack(">i", 0x7FFFFFFF),
        struct.pack(">i", 3) + b"abc",
        struct.pack(">ihhi", 8, 9999, 0, 1),
        struct.pack(">ihhi", 8, 3, 99, 1),
        struct.pack(">ihhih", 10, 3, 1, 1, -1),
        frame(ApiKey.METADATA, 12, MetadataRequest())[:-1] + b"\x05",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600),
    ],
    ids=["negative", "enormous", "short", "no such API", "no such version", "cut off", "bad tags", "http", "tls"],
)
def test_what_cannot_be_a_request_closes_the_connection(address: tuple[str, int], sent: bytes) -> None:
    with socket.create_connection(address) as client:
        client.sendall(sent)
        assert is_closed(client)


def test_a_version_of_api_versions_that_is_too_new_is_answered_in_version_0(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as client:
        client.sendall(struct.pack(">ihhih", 10, ApiKey.API_VERSIONS, 99, 7, -1))
        correlation_id, answer = decode_response(ApiKey.API_VERSIONS, 0, receive(client))
    assert (correlation_id, answer.error_code, [one.api_key for one in answer.api_keys]) == (
        7,
        ErrorCode.UNSUPPORTED_VERSION,
        [ApiKey.API_VERSIONS],
    )


def test_random_frames_do_not_hurt(address: tuple[str, int]) -> None:
    chance = random.Random(20261124)
    valid = frame(ApiKey.METADATA, 12, MetadataRequest())
    for _ in range(300):
        mutated = bytearray(valid)
        for _ in range(chance.randrange(1, 6)):
            mutated[chance.randrange(4, len(mutated))] = chance.randrange(256)
        with socket.create_connection(address) as client:
            client.sendall(mutated)


def test_answers_come_in_the_order_of_requests(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as client:
        client.sendall(b"".join(frame(ApiKey.METADATA, 12, MetadataRequest(), number) for number in range(200)))
        found = [decode_response(ApiKey.METADATA, 12, receive(client))[0] for _ in range(200)]
    assert found == list(range(200))


def test_what_came_before_a_malformed_request_is_answered(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as client:
        good = [frame(ApiKey.METADATA, 12, MetadataRequest(), number) for number in range(3)]
        client.sendall(b"".join(good) + struct.pack(">i", 3) + b"abc")
        assert [decode_response(ApiKey.METADATA, 12, receive(client))[0] for _ in good] == [0, 1, 2]
        assert is_closed(client)


def test_a_half_sent_request_holds_nobody_up(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as half, socket.create_connection(address) as other:
        half.sendall(struct.pack(">i", 50_000_000) + b"only a little of it")
        other.sendall(frame(ApiKey.METADATA, 12, MetadataRequest()))
        assert receive(other)


def test_a_large_request_that_never_comes_costs_no_memory(server: Broker, address: tuple[str, int]) -> None:
    before = resident_kb(server)
    clients = [socket.create_connection(address) for _ in range(50)]
    for client in clients:
        client.sendall(struct.pack(">i", 100_000_000))
    time.sleep(0.3)
    grown = resident_kb(server) - before
    for client in clients:
        client.close()
    assert grown < 10_000


def test_two_thousand_idle_connections_hold_nobody_up(server: Broker, address: tuple[str, int]) -> None:
    before = resident_kb(server)
    clients = []
    for number in range(2_000):
        clients.append(socket.create_connection(address))
        if number % BACKLOG == 0:
            # Let the broker accept what came, or the system drops the next ones and they try again after a second.
            clients[-1].sendall(frame(ApiKey.METADATA, 12, MetadataRequest()))
            receive(clients[-1])
    with socket.create_connection(address) as other:
        other.sendall(frame(ApiKey.METADATA, 12, MetadataRequest()))
        assert receive(other)
    grown = resident_kb(server) - before
    for client in clients:
        client.close()
    assert grown < 20_000


def test_a_client_that_never_reads_is_held_back(server: Broker, address: tuple[str, int]) -> None:
    topic = TopicName("slow-reader")
    admin = RawAdmin(f"{address[0]}:{address[1]}")
    admin.create_topic(topic)
    admin.close()
    batch = encode_batch([Record(offset=0, timestamp=1, key=None, value=bytes(500_000), headers=())])
    producer = RawConnection(*address)
    data = PartitionProduceData(index=0, records=memoryview(batch))
    request = ProduceRequest(
        acks=1, timeout_ms=5000, topic_data=(TopicProduceData(name=topic, partition_data=(data,)),)
    )
    producer.request(ApiKey.PRODUCE, 9, request)
    producer.close()
    fetch = FetchRequest(
        max_wait_ms=0,
        min_bytes=0,
        max_bytes=1 << 20,
        topics=(FetchTopic(topic=topic, partitions=(FetchPartition(partition=0, partition_max_bytes=1 << 20),)),),
    )
    before = resident_kb(server)
    with socket.create_connection(address) as client:
        client.setblocking(False)
        pending = b"".join(frame(ApiKey.FETCH, 12, fetch, number) for number in range(SLOW_READS))
        with contextlib.suppress(BlockingIOError):
            client.send(pending)
        time.sleep(0.5)
        grown = resident_kb(server) - before
    assert grown < 20_000
