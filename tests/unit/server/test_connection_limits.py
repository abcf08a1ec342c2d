"""Limits on connections: how many, how large a request, how long without one."""

from __future__ import annotations

import socket
import struct
import time

from broker_process import Broker

from harness.clients.client import ClientTrouble
from harness.clients.connection import RawConnection
from harness.hosts.host import wait_until
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.fetch_request import FetchRequest
from reference_broker.wire.messages.metadata_request import MetadataRequest


def connect(broker: Broker) -> socket.socket:
    return socket.create_connection(("127.0.0.1", broker.port), 5)


def is_closed(client: socket.socket) -> bool:
    """Whether the broker closes the connection within its time."""
    client.settimeout(8)
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def is_served(broker: Broker) -> bool:
    """Whether a new connection is answered."""
    try:
        with RawConnection("127.0.0.1", broker.port) as client:
            return bool(client.request(ApiKey.METADATA, 12, MetadataRequest(topics=())).brokers)
    except (ClientTrouble, OSError):
        return False


def test_an_idle_connection_is_closed(broker: Broker) -> None:
    broker.start("--override", "connections.max.idle.ms=300")
    with connect(broker) as client:
        assert is_closed(client)


def test_a_connection_in_use_is_not_closed(broker: Broker) -> None:
    broker.start("--override", "connections.max.idle.ms=3000")
    with RawConnection("127.0.0.1", broker.port) as client:
        for _ in range(10):
            time.sleep(0.4)
            assert client.request(ApiKey.METADATA, 12, MetadataRequest(topics=())).brokers


def test_a_client_whose_request_waits_is_not_idle(broker: Broker) -> None:
    broker.start("--override", "connections.max.idle.ms=300")
    with RawConnection("127.0.0.1", broker.port) as client:
        assert client.request(ApiKey.FETCH, 12, FetchRequest(max_wait_ms=100, min_bytes=1)).error_code == 0


def test_connections_beyond_the_limit_of_an_address_are_closed(broker: Broker) -> None:
    broker.start("--override", "max.connections.per.ip=2")
    first, second, third = connect(broker), connect(broker), connect(broker)
    with first, second, third:
        assert is_closed(third)


def test_a_place_that_is_free_again_is_given_away(broker: Broker) -> None:
    broker.start("--override", "max.connections.per.ip=1")
    connect(broker).close()

    wait_until(lambda: is_served(broker), 10, "the place was not given away", every_s=0.05)


def test_a_request_beyond_the_size_limit_closes_the_connection(broker: Broker) -> None:
    broker.start("--override", "socket.request.max.bytes=1000")
    with connect(broker) as client:
        client.sendall(struct.pack(">i", 1001))
        assert is_closed(client)


def test_decoded_requests_and_answers_are_printed_on_demand(broker: Broker) -> None:
    broker.start("--log-requests")
    with RawConnection("127.0.0.1", broker.port) as client:
        client.request(ApiKey.METADATA, 12, MetadataRequest(topics=()))
    log = broker.log()
    assert ("METADATA v12" in log, "MetadataResponse(" in log) == (True, True)
