"""Addresses for networks that we make on this machine: 256 that nothing here uses."""

from __future__ import annotations

import contextlib
import ipaddress
import random
import socket
from collections.abc import Iterable, Sequence

from harness.hosts.host import HostTrouble
from harness.hosts.plain import PlainHost

_RANGES = (ipaddress.IPv4Network("10.192.0.0/10"), ipaddress.IPv4Network("198.18.0.0/15"))
"""Where they are chosen: the upper quarter of 10.0.0.0/8, which sites seldom use; else what RFC 2544 sets aside."""
_TRIES = 50


def free_network() -> ipaddress.IPv4Network:
    """256 addresses, chosen by chance, that no route of this machine leads to. HostTrouble when none are found."""
    return choose_network(routes(), random.SystemRandom())


def choose_network(taken: Sequence[ipaddress.IPv4Network], chance: random.Random) -> ipaddress.IPv4Network:
    """The same, of networks that overlap none of those that are taken; pure."""
    for whole in _RANGES:
        for _ in range(_TRIES):
            number = chance.randrange(1 << (24 - whole.prefixlen))
            chosen = ipaddress.IPv4Network((int(whole.network_address) + (number << 8), 24))
            if not any(chosen.overlaps(route) for route in taken):
                return chosen
    raise HostTrouble(f"no free network of 256 addresses was found in {' or '.join(map(str, _RANGES))}")


def routes() -> list[ipaddress.IPv4Network]:
    """Where this machine's routes lead, as far as `ip` tells; nothing where there is no `ip`."""
    try:
        result = PlainHost().run(["ip", "-4", "route", "show", "table", "all"])
    except HostTrouble:
        return []
    return networks_in(result.output.splitlines())


def networks_in(lines: Iterable[str]) -> list[ipaddress.IPv4Network]:
    """The destinations in the lines of `ip route`; pure. The default route leads nowhere in particular."""
    found = []
    for line in lines:
        target = next((word for word in line.split() if word[:1].isdigit()), None)
        if target is not None and not line.startswith("default"):
            with contextlib.suppress(ValueError):
                found.append(ipaddress.IPv4Network(target, strict=False))
    return found


def is_own_address(address: str) -> bool:
    """Whether an address is one of this machine's."""
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
