"""Networks for nodes overlap nothing that this machine reaches."""

from __future__ import annotations

import ipaddress
from random import Random

import pytest

from harness.hosts.addresses import choose_network, is_own_address, networks_in
from harness.hosts.host import HostTrouble

ROUTES = """\
default via 192.0.2.1 dev eth0
10.239.2.0/24 dev kt31889x1c proto kernel scope link src 10.239.2.254
unreachable 10.7.0.0/16 metric 20
local 127.0.0.1 dev lo table local proto kernel scope host src 127.0.0.1
"""


def test_the_destinations_of_routes_are_read() -> None:
    assert list(map(str, networks_in(ROUTES.splitlines()))) == ["10.239.2.0/24", "10.7.0.0/16", "127.0.0.1/32"]


@pytest.mark.parametrize("seed", range(20))
def test_a_network_overlaps_no_route(seed: int) -> None:
    taken = [ipaddress.IPv4Network("10.192.0.0/11"), ipaddress.IPv4Network("10.240.0.0/12")]

    chosen = choose_network(taken, Random(seed))

    assert not any(chosen.overlaps(route) for route in taken)


def test_where_all_of_the_first_range_is_routed_another_is_used() -> None:
    assert str(choose_network([ipaddress.IPv4Network("10.0.0.0/8")], Random(1))).startswith("198.1")


def test_where_everything_is_routed_none_is_found() -> None:
    with pytest.raises(HostTrouble, match="no free network"):
        choose_network([ipaddress.IPv4Network("0.0.0.0/0")], Random(1))


@pytest.mark.parametrize(("address", "is_own"), [("127.0.0.1", True), ("192.0.2.200", False)])
def test_an_address_of_this_machine_is_told_from_others(address: str, is_own: bool) -> None:
    assert is_own_address(address) is is_own
