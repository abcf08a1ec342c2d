"""What is done after an interrupt is done in the cluster's own time: simulated nodes have no sockets to be asked by."""

from __future__ import annotations

import socket

import pytest

from harness.hosts.executor import using
from harness.targets.target import ClusterSpec, resolve
from nemesis.command import _restored


def test_simulated_nodes_are_healed_in_their_world(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError(f"a simulated node was looked for at a socket: {arguments}")

    cluster = resolve("simulated").open(ClusterSpec(nodes=3, seed="interrupted"))
    try:
        with using(cluster.executor):
            cluster.nodes[0].kill()
        monkeypatch.setattr(socket.socket, "connect", refuse)
        assert "all nodes answer" in _restored(cluster)
        assert cluster.nodes[0].is_alive()
    finally:
        cluster.close()
