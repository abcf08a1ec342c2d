"""A network of this machine's own for the nodes of a cluster: a namespace and an address for each, and a switch.

The switch is a bridge in a namespace of its own, so that packets between nodes pass none of this machine's rules
(Docker's, where it runs, drop what is bridged). Our clients reach the nodes by an interface of this machine, which has
an address in the network as well. Needs root and iproute2. Source: ip-netns(8), veth(4).
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import random
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.hosts.addresses import free_network
from harness.hosts.host import CommandResult, HostTrouble, ProcessState
from harness.hosts.lack import Lack, Means
from harness.hosts.plain import PlainHost

WITHOUT_ROOT = "KAFKA_VERIFICATION_WITHOUT_ROOT"
"""The variable that has a run by root go as it goes for everybody else: nodes share one address."""
_PREFIX = "kv"
_TRIES = 50
_TOOLS = ("ip", "iptables", "bash")
_OF_CLIENTS = 1
DEVICE = "eth0"
"""A node's interface in its namespace."""


def lack() -> Lack | None:
    """Why no namespaces can be made here; None when they can."""
    if os.environ.get(WITHOUT_ROOT):
        return Lack(Means.ROOT, f"network namespaces are not wanted ({WITHOUT_ROOT} is set)")
    if os.geteuid() != 0:
        return Lack(Means.ROOT, "network namespaces need root")
    absent = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if absent:
        return Lack(Means.TOOL, f"network namespaces need {', '.join(absent)} (not installed)")
    return None


class NamespaceHost:
    """Runs commands in a network namespace of this machine (Host)."""

    def __init__(self, namespace: str) -> None:
        self.name = namespace
        self._host = PlainHost()

    def inside(self, command: Sequence[str]) -> list[str]:
        """The command line that runs a command there. `ip` becomes the command, so its process id is the command's."""
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, command: Sequence[str], timeout_s: float = 30.0) -> CommandResult:
        """Runs a command to its end. HostTrouble when it cannot be run or takes too long."""
        return self._host.run(self.inside(command), timeout_s)

    def send_signal(self, pid: int, number: signal.Signals) -> None:
        """Sends a signal. HostTrouble when the process is gone."""
        self._host.send_signal(pid, number)

    def state_of(self, pid: int) -> ProcessState:
        """The state of a process now."""
        return self._host.state_of(pid)


@dataclass(frozen=True, slots=True)
class Network:
    """The network of one cluster: its name, which all that it is made of begins with, and its addresses."""

    name: str
    addresses: ipaddress.IPv4Network

    @classmethod
    def parse(cls, text: str) -> Network:
        """From the line that `text` gives. ValueError when it is not one."""
        name, _, addresses = text.strip().partition(" ")
        if not name.startswith(_PREFIX):
            raise ValueError(f"not a network made by this suite: {text!r}")
        return cls(name, ipaddress.IPv4Network(addresses))

    def text(self) -> str:
        """One line that `parse` reads back."""
        return f"{self.name} {self.addresses}"

    @property
    def client_address(self) -> str:
        """This machine's address in the network, from which our clients come."""
        return str(self.addresses[_OF_CLIENTS])

    def address_of(self, number: int) -> str:
        """Of the node that was created as this number, from 1."""
        return str(self.addresses[_OF_CLIENTS + number])

    def host_of(self, number: int) -> NamespaceHost:
        """Runs commands where that node runs."""
        return NamespaceHost(self._namespace(number))

    def create(self, nodes: int) -> None:
        """Makes the switch, the interface of our clients and a namespace for each node. HostTrouble when it cannot."""
        switch, own = f"{self.name}-switch", self.name
        _ip("netns", "add", switch)
        _ip("-n", switch, "link", "add", "switch", "type", "bridge")
        _ip("-n", switch, "link", "set", "switch", "up")
        _ip("link", "add", own, "type", "veth", "peer", "name", "clients", "netns", switch)
        _ip("address", "add", f"{self.client_address}/{self.addresses.prefixlen}", "dev", own)
        _ip("link", "set", own, "up")
        _ip("-n", switch, "link", "set", "clients", "master", "switch", "up")
        for number in range(1, nodes + 1):
            namespace, port = self._namespace(number), f"node{number}"
            _ip("netns", "add", namespace)
            _ip("-n", namespace, "link", "add", DEVICE, "type", "veth", "peer", "name", port, "netns", switch)
            address = f"{self.address_of(number)}/{self.addresses.prefixlen}"
            _ip("-n", namespace, "address", "add", address, "dev", DEVICE)
            _ip("-n", namespace, "link", "set", DEVICE, "up")
            _ip("-n", namespace, "link", "set", "lo", "up")
            _ip("-n", switch, "link", "set", port, "master", "switch", "up")

    def remove(self) -> None:
        """Removes all of it, as much as there is. The processes in it have ended before."""
        for namespace in _namespaces():
            if namespace.startswith(f"{self.name}-"):
                with contextlib.suppress(HostTrouble):  # another run's sweep was faster
                    _ip("netns", "delete", namespace)
        if self.name in _interfaces():
            with contextlib.suppress(HostTrouble):  # it goes with its other end
                _ip("link", "delete", self.name)

    def _namespace(self, number: int) -> str:
        return f"{self.name}-{number}"


def choose_network() -> Network:
    """A network whose name and addresses nothing on this machine uses now. HostTrouble when none is found."""
    chance = random.SystemRandom()
    namespaces, interfaces = _namespaces(), _interfaces()
    for _ in range(_TRIES):
        name = f"{_PREFIX}{chance.randrange(1 << 32):08x}"
        if name not in interfaces and not any(one.startswith(f"{name}-") for one in namespaces):
            return Network(name, free_network())
    raise HostTrouble("no free name for a network was found")


def _namespaces() -> list[str]:
    folder = Path("/run/netns")
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def _interfaces() -> list[str]:
    folder = Path("/sys/class/net")
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def _ip(*arguments: str) -> str:
    result = PlainHost().run(["ip", *arguments])
    if result.status:
        raise HostTrouble(f"ip {' '.join(arguments)}: {result.errors.strip() or f'status {result.status}'}")
    return result.output
