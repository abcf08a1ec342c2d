"""The rules by which nodes cut their own links: at both ends, and for one listener where that is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.hosts.host import HostTrouble
from nemesis.filters import rules_of
from nemesis.rules import CLIENTS

LINK = ("node 1", "node 2")


@dataclass
class Node:
    """A node on loopback: as much of it as its rules need."""

    id: int
    link_filter: Any = True
    ports: Mapping[str, int] = field(default_factory=dict)

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", 0


def node(number: int, *listeners: str, filters: bool = True) -> Node:
    ports = {name: 9000 + 10 * number + place for place, name in enumerate(listeners)}
    return Node(number, True if filters else None, ports)


def rules(links: Sequence[tuple[str, str]], *nodes: Node, listener: str | None = None) -> dict[str, tuple[str, ...]]:
    return rules_of(links, nodes, listener)  # type: ignore[arg-type]


def test_a_link_is_cut_at_both_ends() -> None:
    assert rules([LINK], node(1, "INTERNAL"), node(2, "INTERNAL")) == {
        "node 1": ("drop from 2", "drop from 127.0.0.1:9020"),
        "node 2": ("drop to 1", "drop to 127.0.0.1:9010"),
    }


def test_a_link_to_other_software_is_cut_at_one_end() -> None:
    assert list(rules([LINK], node(1, "INTERNAL"), node(2, "INTERNAL", filters=False))) == ["node 1"]


def test_a_link_that_neither_end_filters_is_not_cut() -> None:
    with pytest.raises(HostTrouble, match="between node 1 and node 2 cannot be cut"):
        rules([LINK], node(1, filters=False), node(2, filters=False))


def test_one_listener_is_cut_on_whichever_side_it_listens() -> None:
    found = rules([LINK], node(1, "INTERNAL"), node(2, "CONTROLLER"), listener="CONTROLLER")
    assert found["node 1"][0] == "drop from 2 on CONTROLLER"
    assert found["node 2"][0] == "drop to 1 on CONTROLLER"


def test_nodes_without_the_listener_have_no_rule() -> None:
    assert rules([LINK], node(1, "INTERNAL"), node(2, "INTERNAL"), listener="CONTROLLER") == {}


@pytest.mark.parametrize(
    ("link", "rule"),
    [
        (("node 1", CLIENTS), "drop from clients on PLAINTEXT"),
        ((CLIENTS, "node 1"), "drop to clients on PLAINTEXT"),
    ],
    ids=["requests", "answers"],
)
def test_clients_are_cut_off_from_their_own_listeners(link: tuple[str, str], rule: str) -> None:
    assert rules([link], node(1, "PLAINTEXT", "INTERNAL", "CONTROLLER")) == {"node 1": (rule,)}
