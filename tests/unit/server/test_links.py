"""Two loops on loopback: requests go between them, and the link filter splits them without a word."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from nodes import LoopNode, wait_until

from harness.clients.connection import RawConnection
from reference_broker.effects import PeerLost
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.broker_heartbeat_request import BrokerHeartbeatRequest
from reference_broker.wire.messages.broker_heartbeat_response import BrokerHeartbeatResponse
from reference_broker.wire.primitives import BrokerId

FINE = BrokerHeartbeatResponse(is_caught_up=True)


class Target:
    """A file whose flush may fail."""

    def __init__(self, error: OSError | None = None) -> None:
        self.error, self.flushes = error, 0

    def flush(self) -> None:
        self.flushes += 1
        if self.error is not None:
            raise self.error


@pytest.fixture
def one(tmp_path: Path) -> Iterator[LoopNode]:
    made = LoopNode(1, tmp_path)
    yield made
    made.close()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[LoopNode]:
    made = LoopNode(2, tmp_path)
    yield made
    made.close()


def is_lost(outcome: object) -> bool:
    return isinstance(outcome, PeerLost)


def test_a_node_asks_another(one: LoopNode, two: LoopNode) -> None:
    assert (one.outcome(two), two.node.served) == (FINE, [1])


def test_a_flush_is_told_when_it_is_done(one: LoopNode) -> None:
    target = Target()
    one.flush(target)

    assert wait_until(lambda: bool(one.outcomes))
    assert (one.outcomes, target.flushes) == ([None], 1)


def test_a_flush_that_fails_is_told_as_an_error(one: LoopNode) -> None:
    broken = OSError(28, "No space left on device")
    one.flush(Target(broken))

    assert wait_until(lambda: bool(one.outcomes))
    assert one.outcomes == [broken]


def test_a_split_stops_what_goes_either_way(one: LoopNode, two: LoopNode) -> None:
    assert (one.outcome(two), two.outcome(one)) == (FINE, FINE)
    for node, other in ((one, 2), (two, 1)):
        node.cut(f"drop to {other}", f"drop from {other}")

    assert (is_lost(one.outcome(two)), is_lost(two.outcome(one))) == (True, True)
    assert (one.node.served, two.node.served) == ([2], [1])


def test_a_split_of_one_side_alone_stops_both_ways(one: LoopNode, two: LoopNode) -> None:
    assert (one.outcome(two), two.outcome(one)) == (FINE, FINE)
    one.cut("drop to 2", "drop from 2")

    assert (is_lost(one.outcome(two)), is_lost(two.outcome(one))) == (True, True)
    assert (one.node.served, two.node.served) == ([2], [1])


def test_a_new_connection_over_a_cut_link_gets_no_answer(one: LoopNode, two: LoopNode) -> None:
    one.cut("drop from 2")

    assert (is_lost(two.outcome(one)), one.node.served) == (True, [])


def test_a_node_that_is_not_heard_still_hears(one: LoopNode, two: LoopNode) -> None:
    assert two.outcome(one) == FINE
    one.cut("drop to 2")

    assert (is_lost(two.outcome(one)), one.node.served) == (True, [2, 2])


def test_a_node_that_does_not_hear_is_still_heard(one: LoopNode, two: LoopNode) -> None:
    assert one.outcome(two) == FINE
    one.cut("drop from 2")

    assert (is_lost(one.outcome(two)), two.node.served) == (True, [1, 1])


def test_a_healed_link_works_as_before(one: LoopNode, two: LoopNode) -> None:
    assert (one.outcome(two), two.outcome(one)) == (FINE, FINE)
    one.cut("drop to 2", "drop from 2")
    assert (is_lost(one.outcome(two)), is_lost(two.outcome(one))) == (True, True)

    one.cut()

    assert (one.outcome(two), two.outcome(one)) == (FINE, FINE)


def test_a_node_that_is_not_cut_off_is_served(one: LoopNode, two: LoopNode) -> None:
    one.cut("drop to 3", "drop from 3")

    assert (one.outcome(two), two.outcome(one)) == (FINE, FINE)


def test_a_client_is_never_cut_off(one: LoopNode) -> None:
    one.cut("drop to 2", "drop from 2")
    with RawConnection("127.0.0.1", one.listener.port) as client:
        request = BrokerHeartbeatRequest(broker_id=BrokerId(7))
        assert client.request(ApiKey.BROKER_HEARTBEAT, 1, request) == FINE


def test_a_client_that_sends_byte_by_byte_is_served(one: LoopNode) -> None:
    with socket.create_connection(("127.0.0.1", one.listener.port), 5) as client:
        for byte in b"\0\0\0\x0a\0\x12\0\0\0\0\0\5\xff\xff":
            client.sendall(bytes([byte]))
        assert client.recv(100)[4:8] == b"\0\0\0\5"


def test_rules_that_stand_in_the_file_hold_from_the_start(two: LoopNode, tmp_path: Path) -> None:
    (tmp_path / "links-1").write_text("drop from 2")
    one = LoopNode(1, tmp_path)

    assert (is_lost(two.outcome(one)), one.node.served) == (True, [])
    one.close()
