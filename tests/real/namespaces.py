"""Nodes of a test in network namespaces with small servers in them: all that links need of a cluster."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.hosts import namespaces as hosts
from harness.hosts.host import HostTrouble
from harness.hosts.lack import Lack, Means
from harness.hosts.namespaces import NamespaceHost, choose_network
from harness.pytest_plugin.lacking import skip_for

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
_PORTS = {"PLAINTEXT": 9092, "CONTROLLER": 9093, "INTERNAL": 9094}


@dataclass
class NamespaceNode:
    """A namespace with servers in it: as much of a node as its links need."""

    id: int
    internal_address: str
    host: NamespaceHost
    server: subprocess.Popen[str]
    ports: dict[str, int] = field(default_factory=lambda: dict(_PORTS))

    @property
    def address(self) -> tuple[str, int]:
        return self.internal_address, self.ports["PLAINTEXT"]


@dataclass
class NamespaceCluster:
    """Nodes on one switch, which our own process reaches as a client."""

    client_addresses: tuple[str, ...]
    nodes: list[NamespaceNode] = field(default_factory=list)
    bootstrap: str = "namespaces"
    links: None = None

    def lack_for_fault(self, kind: str) -> Lack | None:
        return None if kind in ("partition", "packet") else Lack(Means.FAULTS, "nothing runs on its nodes")

    def run(self, node: int, *command: str) -> str:
        """What a command prints in a node's namespace."""
        result = self.nodes[node - 1].host.run(command)
        if result.status:
            raise HostTrouble(f"{command}: {result.errors}")
        return result.output


@contextmanager
def namespaces(count: int) -> Iterator[NamespaceCluster]:
    """A cluster of as many namespaces, which is gone afterwards."""
    if (lack := hosts.lack()) is not None:
        skip_for(lack)
    network = choose_network()
    cluster = NamespaceCluster((network.client_address,))
    try:
        network.create(count)
        for number in range(1, count + 1):
            host = network.host_of(number)
            command = host.inside([sys.executable, "-c", _SERVER, *map(str, _PORTS.values())])
            server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            cluster.nodes.append(NamespaceNode(number, network.address_of(number), host, server))
            assert server.stdout is not None
            assert server.stdout.readline() == "listens\n"
        yield cluster
    finally:
        for node in cluster.nodes:
            node.server.kill()
            node.server.wait()
        network.remove()
