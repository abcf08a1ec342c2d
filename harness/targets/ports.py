"""Free TCP ports for nodes.

A node keeps its port while it is down, so the port must not be one that the system hands out to outgoing connections:
a client that reconnects could be given the very port of the dead node. So they are taken from below that range.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from harness.targets.target import TargetTrouble

_LOWEST = 15_000
_RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_DEFAULT_EPHEMERAL = 32_768
_TRIES = 200
_STARTS = 3
_TAKEN = ("address already in use", "bindexception", "port is already allocated")
_T = TypeVar("_T")


def _first_ephemeral_port() -> int:
    try:
        return int(_RANGE_FILE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return _DEFAULT_EPHEMERAL


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Distinct ports that nothing on this machine listens on now. OSError when none are found."""
    chance = random.SystemRandom()
    highest = max(_first_ephemeral_port(), _LOWEST + 1_000)
    found: list[int] = []
    for _ in range(_TRIES):
        port = chance.randrange(_LOWEST, highest)
        if port not in found and _is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise OSError(f"no {count} free ports found between {_LOWEST} and {highest}")


def again_if_port_is_taken(start: Callable[[], _T]) -> _T:
    """What `start` gives; called again, with new ports, when another process took one between our look and its use."""
    for _ in range(_STARTS - 1):
        try:
            return start()
        except TargetTrouble as trouble:
            if not any(sign in str(trouble).lower() for sign in _TAKEN):
                raise
    return start()
