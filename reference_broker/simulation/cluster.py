"""Formatted folders for the nodes of a cluster, as the storage tool would leave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import Final

from reference_broker.controller.decision import random_uuid
from reference_broker.raft.voters import ReplicaKey, Voter, VoterEndpoint, VoterSet
from reference_broker.releases import BASELINE, Release
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.simulation.network import Address
from reference_broker.simulation.world import World
from reference_broker.storage import Format, format_folders
from reference_broker.storage_choices import ChosenVoters

BROKER_PORT: Final = 9092
CONTROLLER_PORT: Final = 9093
CLUSTER_ID: Final = "c2ltdWxhdGVkLWNsdXN0ZQ"
FOLDER: Final = "/data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Which nodes there are. Node ids go from 1 on: combined nodes, or brokers and then separate controllers.

    `settings` are those of all nodes, on top of what every node needs.
    """

    nodes: int = 3
    controllers: int = 0
    """Separate controllers; 0 makes every node a combined one."""
    spares: int = 0
    """Separate controllers more that are no voters at the start: they follow the metadata log (KIP-853)."""
    folders: int = 1
    """How many log folders a node has; the metadata log is in the first."""
    settings: Mapping[str, str] = field(default_factory=dict)
    racks: Sequence[str] = ()
    release: Release = BASELINE

    @property
    def broker_ids(self) -> tuple[int, ...]:
        """The nodes with the role of a broker."""
        return tuple(range(1, self.nodes + 1))

    @property
    def voter_ids(self) -> tuple[int, ...]:
        """The controllers that are voters at the start."""
        if not self.controllers:
            return self.broker_ids
        return tuple(range(self.nodes + 1, self.nodes + self.controllers + 1))

    @property
    def spare_ids(self) -> tuple[int, ...]:
        """The controllers that are no voters at the start."""
        first = self.nodes + self.controllers + 1
        return tuple(range(first, first + self.spares))

    @property
    def controller_ids(self) -> tuple[int, ...]:
        """The nodes with the role of a controller."""
        return (*self.voter_ids, *self.spare_ids)

    @property
    def node_ids(self) -> tuple[int, ...]:
        """All nodes, ascending."""
        return tuple(sorted({*self.broker_ids, *self.controller_ids}))

    @property
    def bootstrap(self) -> tuple[Address, ...]:
        """Where clients find the brokers."""
        return tuple((host_of(node_id), BROKER_PORT) for node_id in self.broker_ids)

    def settings_of(self, node_id: int) -> dict[str, str]:
        """One node's server.properties."""
        is_broker, is_controller = node_id in self.broker_ids, node_id in self.controller_ids
        host = host_of(node_id)
        replicas = min(3, self.nodes)
        listeners = [f"PLAINTEXT://{host}:{BROKER_PORT}"] if is_broker else []
        listeners += [f"CONTROLLER://{host}:{CONTROLLER_PORT}"] if is_controller else []
        settings = {
            "node.id": str(node_id),
            "process.roles": ",".join(["broker"] * is_broker + ["controller"] * is_controller),
            "listeners": ",".join(listeners),
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.bootstrap.servers": ",".join(
                f"{host_of(one)}:{CONTROLLER_PORT}" for one in self.controller_ids
            ),
            "log.dirs": ",".join([FOLDER, *(f"{FOLDER}{number}" for number in range(2, self.folders + 1))]),
            "default.replication.factor": str(replicas),
            "offsets.topic.replication.factor": str(replicas),
            "offsets.topic.num.partitions": "3",
            "group.initial.rebalance.delay.ms": "0",
        }
        if self.racks and is_broker:
            settings["broker.rack"] = self.racks[(node_id - 1) % len(self.racks)]
        return settings | dict(self.settings)


def host_of(node_id: int) -> str:
    """Where a node lives."""
    return f"10.0.0.{node_id}"


def add_cluster(world: World, layout: Layout) -> None:
    """Add the nodes of a layout to a world, with formatted folders; none is started. ConfigInvalid for bad settings."""
    voters = VoterSet.of(
        Voter(
            key=ReplicaKey(node_id, random_uuid(Random(node_id))),
            endpoints=(VoterEndpoint("CONTROLLER", host_of(node_id), CONTROLLER_PORT),),
        )
        for node_id in layout.voter_ids
    )
    level = layout.release.metadata_version
    features = {name: number for name, number in sorted(layout.release.default_features(level).items()) if number}
    for node_id in layout.node_ids:
        config = _config(tuple(layout.settings_of(node_id).items()), layout.release)
        node = world.add(config, host=host_of(node_id))
        own = voters.get(node_id)
        wanted = Format(
            cluster_id=CLUSTER_ID,
            metadata_version=level,
            features=features,
            voters=None if own is None else ChosenVoters(voters=voters, own=own),
        )
        format_folders(
            node.disk, config, wanted, random=Random(node_id), now_ms=node.now().wall_ms, say=lambda text: None
        )
        node.disk.flush_all()


@lru_cache(maxsize=256)
def _config(settings: tuple[tuple[str, str], ...], release: Release) -> BrokerConfig:
    """Read once for all worlds."""
    return BrokerConfig.of(dict(settings), release=release)
