"""Requests to peers over real sockets: each is settled once, and a connection that failed is made again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from broker_process import free_port
from machines import Machine, Scripted

from reference_broker.effects import PeerLost
from reference_broker.server.link_filter import LinkFilter


@pytest.fixture
def machine() -> Iterator[Machine]:
    made = Machine()
    yield made
    made.close()


@pytest.fixture
def peer(machine: Machine) -> Iterator[Scripted]:
    made = Scripted(machine.selector)
    yield made
    made.stop()


def settled(machine: Machine, count: int = 1) -> bool:
    return machine.run(lambda: len(machine.outcomes) >= count)


def is_lost(machine: Machine, at: int = 0) -> bool:
    return isinstance(machine.outcomes[at][1], PeerLost)


def test_a_request_is_settled_with_its_response(machine: Machine, peer: Scripted) -> None:
    token = machine.send(peer.port)

    assert settled(machine)
    assert [(one, response.is_caught_up) for one, response in machine.outcomes] == [(token, True)]


def test_requests_of_one_channel_share_a_connection(machine: Machine, peer: Scripted) -> None:
    tokens = [machine.send(peer.port) for _ in range(3)]
    assert settled(machine, 3)
    machine.send(peer.port)
    assert settled(machine, 4)

    assert (len(peer.connections), peer.heartbeats[:3]) == (1, tokens)


def test_channels_have_connections_of_their_own_with_the_client_ids_of_kafka(machine: Machine, peer: Scripted) -> None:
    machine.send(peer.port, channel="raft")
    machine.send(peer.port, channel="fetcher-0")
    machine.send(peer.port, channel="controller-forwarding")

    assert settled(machine, 3)
    assert sorted(filter(None, peer.client_ids)) == sorted(["raft-client-1", "broker-1-fetcher-0", "1"] * 2)


def test_a_peer_that_does_not_listen_is_lost(machine: Machine) -> None:
    machine.send(free_port())

    assert settled(machine)
    assert is_lost(machine)


def test_a_peer_is_reached_once_it_listens(machine: Machine) -> None:
    port = free_port()
    machine.send(port)
    assert settled(machine)
    peer = Scripted(machine.selector, port)

    machine.send(port)

    assert settled(machine, 2)
    assert not is_lost(machine, 1)
    peer.stop()


def test_a_request_after_a_failure_waits_for_the_back_off(machine: Machine) -> None:
    port = free_port()
    machine.send(port)
    assert settled(machine)

    machine.send(port)

    assert machine.peers.next_deadline_ms > 0
    assert len(machine.outcomes) == 1


def test_a_peer_is_reached_again_by_requests_that_wait_for_less_than_the_back_off(machine: Machine) -> None:
    port, count = free_port(), 0

    def is_answered_before(deadline: float) -> bool:
        nonlocal count
        while time.monotonic() < deadline:
            machine.send(port, timeout_ms=100)
            count += 1
            if settled(machine, count) and not is_lost(machine, count - 1):
                return True
        return False

    assert not is_answered_before(time.monotonic() + 1)  # the back-off has grown beyond 100 ms
    peer = Scripted(machine.selector, port)

    assert is_answered_before(time.monotonic() + 30)
    peer.stop()


def test_a_peer_that_goes_away_loses_what_it_has_not_answered(machine: Machine, peer: Scripted) -> None:
    peer.answers = False
    machine.send(peer.port)
    machine.send(peer.port)
    machine.run(lambda: len(peer.heartbeats) == 2)

    peer.stop()

    assert settled(machine, 2)
    assert [is_lost(machine, 0), is_lost(machine, 1)] == [True, True]


def test_a_peer_that_does_not_answer_in_time_is_lost_with_its_connection(machine: Machine, peer: Scripted) -> None:
    peer.answers = False
    machine.send(peer.port, timeout_ms=100)
    assert settled(machine)
    peer.answers = True

    machine.send(peer.port)

    assert settled(machine, 2)
    assert (is_lost(machine), is_lost(machine, 1), len(peer.connections)) == (True, False, 2)


def test_a_name_is_resolved_without_holding_up_the_loop(machine: Machine, peer: Scripted) -> None:
    machine.send(peer.port, host="localhost")

    assert settled(machine)
    assert not is_lost(machine)


def test_a_name_that_nobody_knows_is_lost(machine: Machine) -> None:
    machine.send(9093, host="no-such-host.invalid")

    assert settled(machine)
    assert "cannot be resolved" in machine.outcomes[0][1].reason


# -- cut links ----------------------------------------------------------------------------------------------------


class CutMachine:
    """A machine with a link filter."""

    def __init__(self, folder: Path, rules: str = "", setup_timeout_ms: int = 10_000) -> None:
        self.file = folder / "links"
        self.links = LinkFilter(str(self.file), lambda level, text: None)
        self.machine = Machine(links=self.links, setup_timeout_ms=setup_timeout_ms)
        self.peer = Scripted(self.machine.selector)
        self.set(rules)

    def set(self, rules: str) -> None:
        self.file.write_text(rules)
        assert self.links.read()
        self.machine.peers.apply_rules()
        self.links.confirm()

    def close(self) -> None:
        self.peer.stop()
        self.machine.close()
        self.links.close()


@pytest.fixture
def cut_machine(tmp_path: Path) -> Iterator[CutMachine]:
    made = CutMachine(tmp_path)
    yield made
    made.close()


def test_nothing_goes_out_to_a_peer_that_is_cut_off(cut_machine: CutMachine) -> None:
    cut_machine.machine.send(cut_machine.peer.port)
    assert settled(cut_machine.machine)

    cut_machine.set("drop to 2\n")
    cut_machine.machine.send(cut_machine.peer.port, timeout_ms=200)

    assert settled(cut_machine.machine, 2)
    assert (is_lost(cut_machine.machine, 1), len(cut_machine.peer.heartbeats)) == (True, 1)


def test_what_a_peer_answers_is_not_read_while_that_is_cut(cut_machine: CutMachine) -> None:
    cut_machine.machine.send(cut_machine.peer.port)
    assert settled(cut_machine.machine)

    cut_machine.set("drop from 2\n")
    cut_machine.machine.send(cut_machine.peer.port, timeout_ms=200)

    assert settled(cut_machine.machine, 2)
    assert (is_lost(cut_machine.machine, 1), len(cut_machine.peer.heartbeats)) == (True, 2)


def test_the_other_side_of_a_cut_link_is_not_told(cut_machine: CutMachine) -> None:
    cut_machine.machine.send(cut_machine.peer.port)
    assert settled(cut_machine.machine)
    cut_machine.set("drop to 2\ndrop from 2\n")
    cut_machine.machine.send(cut_machine.peer.port, timeout_ms=100)
    assert settled(cut_machine.machine, 2)

    told = cut_machine.machine.run(lambda: cut_machine.peer.connections[0].fileno() < 0, 0.3)

    assert not told


def test_a_new_connection_over_a_cut_link_is_not_made(tmp_path: Path) -> None:
    cut_machine = CutMachine(tmp_path, "drop from 2\n", setup_timeout_ms=100)
    cut_machine.machine.send(cut_machine.peer.port)

    assert settled(cut_machine.machine)
    assert "setup.timeout" in cut_machine.machine.outcomes[0][1].reason
    assert cut_machine.peer.connections == []
    cut_machine.close()


def test_a_listener_is_cut_off_by_its_address(tmp_path: Path) -> None:
    cut_machine = CutMachine(tmp_path, setup_timeout_ms=100)
    cut_machine.set(f"drop to 127.0.0.1:{cut_machine.peer.port}\n")
    cut_machine.machine.send(cut_machine.peer.port)

    assert settled(cut_machine.machine)
    assert is_lost(cut_machine.machine)
    cut_machine.close()


def test_a_connection_that_waits_is_made_when_its_link_heals(cut_machine: CutMachine) -> None:
    cut_machine.set("drop to 2\n")
    cut_machine.machine.send(cut_machine.peer.port)
    assert not cut_machine.machine.run(lambda: bool(cut_machine.machine.outcomes), 0.2)

    cut_machine.set("")

    assert settled(cut_machine.machine)
    assert not is_lost(cut_machine.machine)


def test_a_connection_that_was_cut_is_closed_when_its_link_heals(cut_machine: CutMachine) -> None:
    cut_machine.machine.send(cut_machine.peer.port)
    assert settled(cut_machine.machine)
    cut_machine.set("drop to 2\n")
    cut_machine.machine.send(cut_machine.peer.port)

    cut_machine.set("")
    cut_machine.machine.send(cut_machine.peer.port)

    assert settled(cut_machine.machine, 3)
    assert [is_lost(cut_machine.machine, 1), is_lost(cut_machine.machine, 2)] == [True, False]
