"""The rules of a link filter: how they are read, and by which names nodes are known."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from reference_broker.effects import Peer
from reference_broker.server import peer_names
from reference_broker.server.link_filter import Cut, LinkFilter, Rules, SeveredSocket
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.framing import encode_request
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest

RULES = """
# a split of 1 and 2, and half of one of 1 and 3
drop to 2
drop from 2
drop from 3
drop to 127.0.0.1:9093
drop from 5 on CONTROLLER
"""
PLAIN = "PLAINTEXT"


def first_request(client_id: str | None) -> bytes:
    return b"".join(encode_request(ApiKey.API_VERSIONS, 4, 0, client_id, ApiVersionsRequest()))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("node_id", "cut"), [(2, Cut(outgoing=True, incoming=True)), (3, Cut(incoming=True)), (4, Cut())], ids=str
)
def test_each_direction_is_cut_by_a_rule_of_its_own(node_id: int, cut: Cut) -> None:
    assert Rules.parse(RULES).of_node(node_id, PLAIN) == cut


def test_a_peer_is_known_by_its_address_too() -> None:
    assert Rules.parse(RULES).of_peer(Peer(-1, "127.0.0.1", 9093), PLAIN) == Cut(outgoing=True)


@pytest.mark.parametrize(("listener", "is_cut"), [("CONTROLLER", True), (PLAIN, False)])
def test_a_rule_may_be_for_one_listener(listener: str, is_cut: bool) -> None:
    rules = Rules.parse(RULES)
    peer = Peer(5, "127.0.0.1", 9095)

    assert (bool(rules.of_node(5, listener)), bool(rules.of_peer(peer, listener))) == (is_cut, is_cut)


@pytest.mark.parametrize(
    "line",
    [
        "drop 2",
        "drop to",
        "drop to two",
        "cut to 2",
        "drop with 2",
        "drop to host:",
        "drop to 2 on",
        "drop to 2 at PLAINTEXT",
    ],
)
def test_a_line_that_is_no_rule_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        Rules.parse(f"drop to 1\n{line}\n")


def test_a_file_that_cannot_be_read_leaves_the_rules_as_they_were(tmp_path: Path) -> None:
    file = tmp_path / "links"
    links = LinkFilter(str(file), lambda level, text: None)
    file.write_text("drop to 2")
    links.read()
    file.write_text("nonsense")

    assert (links.read(), links.rules.of_node(2, PLAIN)) == (False, Cut(outgoing=True))
    links.close()


def test_whoever_wrote_the_rules_is_told_that_they_hold(tmp_path: Path) -> None:
    file = tmp_path / "links"
    links = LinkFilter(str(file), lambda level, text: None)
    file.write_text("drop to 2")
    links.read()

    links.confirm()

    assert (tmp_path / "links.applied").read_text() == "drop to 2"
    links.close()


def test_a_socket_that_was_put_aside_is_closed_when_its_link_heals(tmp_path: Path) -> None:
    file = tmp_path / "links"
    links = LinkFilter(str(file), lambda level, text: None)
    file.write_text("drop to 2\ndrop to 3")
    links.read()
    ours, theirs = socket.socketpair()
    links.hold(ours, lambda rules: rules.of_node(2, PLAIN))
    file.write_text("drop to 3")
    links.read()

    links.confirm()

    assert theirs.recv(1) == b""
    theirs.close()
    links.close()


def test_what_a_severed_socket_sends_is_lost_without_a_word() -> None:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    severed = SeveredSocket(ours, Cut(outgoing=True), lambda raw: None)

    assert severed.sendmsg([b"abc"], (), 0) == 3
    with pytest.raises(BlockingIOError):
        theirs.recv(1)
    ours.close()
    theirs.close()


def test_what_comes_to_a_severed_socket_is_lost_without_a_word() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    severed = SeveredSocket(ours, Cut(incoming=True), lambda raw: None)
    theirs.sendall(b"abc")

    with pytest.raises(BlockingIOError):
        severed.recv(10)
    with pytest.raises(BlockingIOError):
        ours.recv(10)
    ours.close()
    theirs.close()


@pytest.mark.parametrize("channel", ["raft", "raft-fetch", "fetcher-3", "controller-heartbeat"])
def test_a_node_is_known_by_the_client_id_of_its_own_connections(channel: str) -> None:
    name = peer_names.client_id(12, channel)
    assert peer_names.node_id(name, is_controller_listener=True) == 12


@pytest.mark.parametrize("name", ["12", "producer-1", "broker-1", "broker-1-console", "raft-client-x", ""])
def test_a_client_is_never_taken_for_a_node(name: str) -> None:
    assert peer_names.node_id(name, is_controller_listener=False) is None


@pytest.mark.parametrize("name", ["raft-client-2", "", None])
def test_the_client_id_stands_in_the_first_bytes_of_a_connection(name: str | None) -> None:
    assert peer_names.first_client_id(first_request(name)) == name


def test_fewer_bytes_than_a_client_id_name_nobody() -> None:
    assert peer_names.first_client_id(first_request("raft-client-2")[:20]) is None
