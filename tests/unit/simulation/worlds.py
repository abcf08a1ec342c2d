"""Worlds of whole nodes for tests, and a client that asks them something."""

from __future__ import annotations

from typing import Any

from reference_broker.simulation.client import RawConnection
from reference_broker.simulation.cluster import CONTROLLER_PORT, Layout, add_cluster, host_of
from reference_broker.simulation.tasks import Promise
from reference_broker.simulation.world import World
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.framing import encode_request
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest


def world_of(seed: int = 1, *, nodes: int = 3, controllers: int = 0, **options: Any) -> World:
    """A world whose nodes have just been started."""
    world = World(seed, **options)
    add_cluster(world, Layout(nodes=nodes, controllers=controllers))
    for node_id in world.nodes:
        world.start(node_id)
    return world


def is_formed(world: World) -> bool:
    """Whether every broker serves clients."""
    brokers = [node for node in world.nodes.values() if "broker" in node.config.roles]
    return all(node.process is not None and node.process.serves("PLAINTEXT") for node in brokers)


def versions_frame(correlation_id: int = 0) -> bytes:
    """A request that every listener answers."""
    message = ApiVersionsRequest(client_software_name="test", client_software_version="1")
    return b"".join(encode_request(ApiKey.API_VERSIONS, 3, correlation_id, "c", message))  # type: ignore[arg-type]


class Asking:
    """A client with a connection to the controller's listener of a node, which serves from the start."""

    def __init__(self, world: World, node_id: int = 1) -> None:
        self.place = world.new_client()
        self.connection = RawConnection(world, self.place, (host_of(node_id), CONTROLLER_PORT))
        self.outcomes: list[int | str] = []

    def ask(self, correlation_id: int = 7) -> None:
        """Ask; the correlation id of the response becomes an outcome, or what happened instead."""
        self.connection.request(versions_frame(correlation_id)).then(self._note)

    def _note(self, promise: Promise[bytes]) -> None:
        error = promise.error
        self.outcomes.append(int.from_bytes(promise.result()[:4], "big") if error is None else str(error))
