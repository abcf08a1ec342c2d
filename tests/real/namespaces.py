"""Network namespaces made by a test: nodes with addresses of their own on one switch, and small servers in them."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.hosts.host import CommandResult, HostTrouble, ProcessState
from harness.hosts.plain import PlainHost

_SERVER = """
import socket, sys, threading
def serve(port):
    listener = socket.create_server(("0.0.0.0", port))
    while True:
        threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()
def answer(peer):
    while (size := peer.recv(4, socket.MSG_WAITALL)):
        frame = peer.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)
        body = frame[4:8] + bytes(2) + b"\\1" + bytes(5)  # ApiVersions 3: no error, no API, not throttled
        peer.sendall(len(body).to_bytes(4, "big") + body)
threads = [threading.Thread(target=serve, args=(int(port),)) for port in sys.argv[1:]]
for thread in threads: thread.start()
print("listens", flush=True)
"""
_numbers = itertools.count(1)


def missing() -> str | None:
    """Why no namespaces can be made here."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    absent = [tool for tool in ("ip", "iptables", "tc", "bash") if shutil.which(tool) is None]
    return f"there is no {', '.join(absent)}" if absent else None


class NamespaceHost:
    """Runs commands in a network namespace of this machine (Host)."""

    def __init__(self, namespace: str) -> None:
        self.name = namespace
        self._host = PlainHost()

    def run(self, command: Sequence[str], timeout_s: float = 30.0) -> CommandResult:
        return self._host.run(["ip", "netns", "exec", self.name, *command], timeout_s)

    def send_signal(self, pid: int, number: signal.Signals) -> None:
        self._host.send_signal(pid, number)

    def state_of(self, pid: int) -> ProcessState:
        return self._host.state_of(pid)


@dataclass
class NamespaceNode:
    """A namespace with servers in it: as much of a node as its links need."""

    id: int
    internal_address: str
    ports: dict[str, int]
    host: NamespaceHost
    server: subprocess.Popen[str] | None = None

    @property
    def address(self) -> tuple[str, int]:
        return self.internal_address, self.ports["PLAINTEXT"]


@dataclass
class NamespaceCluster:
    """Nodes on one switch, which our own process reaches as a client."""

    nodes: list[NamespaceNode] = field(default_factory=list)
    client_addresses: tuple[str, ...] = ()
    bootstrap: str = "namespaces"

    def run(self, node: int, *command: str) -> str:
        """What a command prints in a node's namespace."""
        result = self.nodes[node - 1].host.run(command)
        if result.status:
            raise HostTrouble(f"{command}: {result.errors}")
        return result.output


@contextmanager
def namespaces(count: int, *, servers: bool = True) -> Iterator[NamespaceCluster]:
    """A cluster of as many namespaces, which is gone afterwards; with servers in them that answer probes."""
    tag = f"kt{os.getpid() % 100000}x{next(_numbers)}"
    subnet = f"10.{200 + os.getpid() % 50}.{next(_numbers) % 250}"
    switch = f"{tag}-s"
    cluster = NamespaceCluster(client_addresses=(f"{subnet}.254",))
    try:
        _ip("netns", "add", switch)
        _ip("-n", switch, "link", "add", "switch", "type", "bridge")
        _ip("-n", switch, "link", "set", "switch", "up")
        _ip("link", "add", f"{tag}c", "type", "veth", "peer", "name", "c", "netns", switch)
        _ip("-n", switch, "link", "set", "c", "master", "switch", "up")
        _ip("address", "add", f"{subnet}.254/24", "dev", f"{tag}c")
        _ip("link", "set", f"{tag}c", "up")
        for number in range(1, count + 1):
            name = f"{tag}-{number}"
            _ip("netns", "add", name)
            ports = {"PLAINTEXT": 9092, "CONTROLLER": 9093, "INTERNAL": 9094}
            node = NamespaceNode(number, f"{subnet}.{number}", ports, NamespaceHost(name))
            cluster.nodes.append(node)
            _ip("-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", f"n{number}", "netns", switch)
            _ip("-n", switch, "link", "set", f"n{number}", "master", "switch", "up")
            _ip("-n", name, "address", "add", f"{subnet}.{number}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                _ip("-n", name, "link", "set", device, "up")
            if not servers:
                continue
            command = ["ip", "netns", "exec", name, sys.executable, "-c", _SERVER, *map(str, ports.values())]
            node.server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            assert node.server.stdout is not None
            assert node.server.stdout.readline() == "listens\n"
        yield cluster
    finally:
        for node in cluster.nodes:
            if node.server is not None:
                node.server.kill()
                node.server.wait()
            _ip("netns", "delete", node.host.name)
        for arguments in (("link", "delete", f"{tag}c"), ("netns", "delete", switch)):
            subprocess.run(["ip", *arguments], capture_output=True, check=False)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=30)
