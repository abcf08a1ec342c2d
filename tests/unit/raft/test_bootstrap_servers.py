"""Where a member looks for the leader."""

from __future__ import annotations

from itertools import pairwise

import pytest
from quorum_world import World
from world_node import WorldNode

from reference_broker.effects import Send


@pytest.mark.parametrize("seed", range(4))
def test_bootstrap_servers_are_asked_by_turns(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """So it takes as many request timeouts as there are servers to have asked each of them, at most.

    Drawn by chance each time, there was no bound (seed 4413 of the scenarios took 33 s).
    """
    world, asked = World(3, seed=seed), list[str]()
    send = world._send

    def noting(node: WorldNode, effect: Send) -> None:
        asked.append(effect.peer.host)
        send(node, effect)

    monkeypatch.setattr(world, "_send", noting)
    observer = world.nodes[4] = WorldNode(world, 4)
    world.cut.update(dict.fromkeys((4, peer) for peer in (1, 2, 3)))

    observer.start()
    world.run_for(20_000)

    assert len(asked) >= 9
    assert all(pair in {("host1", "host2"), ("host2", "host3"), ("host3", "host1")} for pair in pairwise(asked))
