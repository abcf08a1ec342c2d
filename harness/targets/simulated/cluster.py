"""Clusters of a simulated world: formatted by the storage tool itself, with the settings of all other targets."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from harness.hosts.executor import using
from harness.hosts.lack import Lack, Means
from harness.targets import broker_properties
from harness.targets.cluster_of_nodes import ClusterOfNodes
from harness.targets.node_plan import (
    CLIENTS,
    CONTROLLER,
    INTERNAL,
    NodePlan,
    first_voters,
    listeners_of,
    node_roles,
    settings_of,
)
from harness.targets.simulated.executor import VirtualExecutor
from harness.targets.simulated.links import SimulatedLinks
from harness.targets.simulated.node import NodeOfWorld
from harness.targets.target import (
    CLOCK_FAULT,
    LINK_FAULTS,
    MACHINE_FAULTS,
    PROCESS_FAULTS,
    REQUEST_FAULTS,
    ClusterSpec,
    TargetTrouble,
    no_such_fault,
)
from reference_broker import storage
from reference_broker.controller.decision import random_uuid
from reference_broker.releases import BASELINE, Release
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.settings.validators import ConfigInvalid
from reference_broker.simulation.world import World
from reference_broker.wire.primitives import uuid_text

PORTS: Final = {CLIENTS: 9092, CONTROLLER: 9093, INTERNAL: 9094}
FOLDER: Final = "/data"
_PROPERTIES: Final = "/server.properties"
_NOT_HERE: Final = {
    "packet": "its network has streams of bytes, as TCP gives them, and no packets",
    "disk": "its nodes have no small disk of their own",
}
"""Faults for which there is nothing to act on, and why."""


class SimulatedCluster(ClusterOfNodes[NodeOfWorld]):
    """Nodes of one world (Cluster)."""

    def __init__(self, nodes: Sequence[NodeOfWorld], version: str, executor: VirtualExecutor) -> None:
        super().__init__(nodes, version)
        self.executor = self._virtual = executor
        self.links = SimulatedLinks(executor.world.network, executor.place, PORTS)

    @property
    def client_addresses(self) -> tuple[str, ...]:
        """Where our clients are in the world."""
        return (self._virtual.world.host_of(self._virtual.place),)

    def lack_for_fault(self, kind: str) -> Lack | None:
        """Why faults of this kind cannot be injected here; None when they can."""
        return lack_for_fault(kind)

    def close(self) -> None:
        """Ends the world; its nodes' logs stay readable."""
        if self._final_logs is None:
            self._final_logs = dict(self.logs())


def lack_for_fault(kind: str) -> Lack | None:
    """What stands in the way of faults of a kind on simulated nodes; None where nothing does."""
    if kind in _NOT_HERE:
        return Lack(Means.FAULTS, f"cannot inject {kind}: {_NOT_HERE[kind]}")
    return (
        None
        if kind in (CLOCK_FAULT, *MACHINE_FAULTS, *PROCESS_FAULTS, *REQUEST_FAULTS, *LINK_FAULTS)
        else no_such_fault(kind)
    )


def open_simulated_cluster(name: str, spec: ClusterSpec, release: Release = BASELINE) -> SimulatedCluster:
    """Formats and starts the nodes, and waits until all is well. TargetTrouble, with a log's end, when it fails.

    All chance comes from the specification's seed.
    """
    chance = Random(f"simulated/{spec.seed}")
    world = World(chance.getrandbits(63), is_recorded=True)
    executor = VirtualExecutor(world)
    plans = _plans(spec, chance)
    cluster_id, voters = _new_id(chance), first_voters(plans)
    nodes = []
    for plan in plans:
        settings = settings_of(plan, plans, spec.config)
        text = broker_properties.text_of(settings)
        try:
            config = BrokerConfig.load(text, release=release)
        except ConfigInvalid as trouble:
            raise TargetTrouble(f"{name}: node {plan.id} cannot have these settings: {trouble}") from None
        own = world.add(config, host=plan.host)
        own.disk.write_plainly(_PROPERTIES, text.encode("utf-8"))
        arguments = ["format", "-t", cluster_id, "-c", _PROPERTIES, "--profile", release.profile]
        arguments += ["--initial-controllers", voters] if voters and plan.is_controller else []
        said: list[str] = []
        status = storage.run(
            arguments, disk=own.disk, random=chance, now_ms=executor.wall_ms(), say=said.append, complain=said.append
        )
        if status:
            raise TargetTrouble(f"{name}: formatting node {plan.id} ended with status {status}: {' '.join(said)}")
        own.disk.flush_all()
        nodes.append(NodeOfWorld(name, plan, executor))
    cluster = SimulatedCluster(nodes, release.name, executor)
    with using(executor):
        for node in nodes:
            node.start()
        for node in nodes:
            node.wait_ready()
        if len(nodes) > 1:
            cluster.wait_healthy()
    return cluster


def _plans(spec: ClusterSpec, chance: Random) -> tuple[NodePlan, ...]:
    chosen = node_roles(spec.nodes, spec.controllers)
    return tuple(
        NodePlan(
            id=node_id,
            roles=roles,
            host=f"10.0.0.{node_id}",
            ports={name: PORTS[name] for name in listeners_of(roles, is_alone=len(chosen) == 1)},
            log_dirs=(FOLDER,),
            rack=spec.racks[number % len(spec.racks)] if spec.racks else None,
            directory_id=_new_id(chance) if spec.has_dynamic_voters else "",
        )
        for number, (node_id, roles) in enumerate(chosen)
    )


def _new_id(chance: Random) -> str:
    return uuid_text(random_uuid(chance))
