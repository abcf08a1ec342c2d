"""Clusters of local processes in a temporary folder, each with an address of its own where that can be had.

A single node listens on loopback. Several nodes have network namespaces with root, and else ports on loopback; only the
former can be cut off from each other.
"""

from __future__ import annotations

import atexit
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path

from harness.hosts import namespaces, small_disk
from harness.hosts.faulty_disk import disk as faulty_disk
from harness.hosts.faulty_disk.disk import FaultyDisk
from harness.hosts.lack import Lack, Means
from harness.hosts.namespaces import Network
from harness.hosts.plain import LocalProcess
from harness.hosts.small_disk import SmallDisk
from harness.targets import broker_properties, leftovers
from harness.targets.cluster_of_nodes import ClusterOfNodes
from harness.targets.local_node import LocalNode, Software
from harness.targets.node_plan import NodePlan, first_voters, listeners_of, node_roles, settings_of
from harness.targets.ports import again_if_port_is_taken, free_ports
from harness.targets.readiness import last_lines
from harness.targets.target import (
    CLOCK_FAULT,
    DISK_FAULT,
    FAULTY_DISK_FAULTS,
    LINK_FAULTS,
    PROCESS_FAULTS,
    REQUEST_FAULTS,
    ClusterSpec,
    TargetTrouble,
    no_such_fault,
)

_FORMAT_TIMEOUT_S = 60.0
_LOOPBACK = "127.0.0.1"
_FIRST_PORT = 9092
"""Of a node with an address of its own; its other listeners count on from there."""


class LocalCluster(ClusterOfNodes[LocalNode]):
    """Nodes in a temporary folder that goes with them (Cluster)."""

    def __init__(self, nodes: Sequence[LocalNode], folder: Path, version: str, network: Network | None = None) -> None:
        super().__init__(nodes, version)
        self._folder = folder
        self._network = network

    @property
    def client_addresses(self) -> tuple[str, ...]:
        """The addresses of our clients, as the nodes see them."""
        return (_LOOPBACK,) if self._network is None else (self._network.client_address,)

    @property
    def folder(self) -> Path:
        """Holds the settings, the data and the logs, until close."""
        return self._folder

    def lack_for_fault(self, kind: str) -> Lack | None:
        """Why faults of this kind cannot be injected here; None when they can."""
        if kind in LINK_FAULTS and self._network is None:
            if kind == "partition" and self._filters_links:
                return None
            return namespaces.lack() or Lack(Means.NODES, f"cannot inject {kind}: its nodes share one address")
        if kind == DISK_FAULT and all(node.small_disk is None for node in self._nodes):
            return small_disk.lack() or Lack(
                Means.FAULTS, "cannot fill disks: its nodes have no small disk of their own"
            )
        if kind in FAULTY_DISK_FAULTS and any(node.faulty_disk is None for node in self._nodes):
            return faulty_disk.lack() or no_such_fault(kind)
        return lack_for_fault(kind)

    @property
    def _filters_links(self) -> bool:
        """Whether each link has an end that drops what comes and goes there."""
        return len(self._nodes) > 1 and sum(node.link_filter is None for node in self._nodes) < 2

    def close(self) -> None:
        """Kills the nodes, whatever their state, and removes their folder and network; their logs stay readable."""
        with self._lock:
            if self._final_logs is None:
                for node in self._nodes:
                    node.kill()
                self._final_logs = dict(self.logs())
                for node in self._nodes:
                    if node.faulty_disk is not None:
                        node.faulty_disk.unmount()
                leftovers.remove_folder(self._folder)
                atexit.unregister(self.close)


def lack_for(spec: ClusterSpec | None, *, most_nodes: int) -> Lack | None:
    """Why a cluster cannot be had as local processes; None when it can."""
    if spec is None:
        return None
    if spec.nodes + spec.controllers > most_nodes:
        wanted = spec.nodes + spec.controllers
        return Lack(Means.NODES, f"{wanted} nodes are needed; this target offers at most {most_nodes}")
    if spec.has_faulty_disks and (found := faulty_disk.lack()) is not None:
        return found
    return small_disk.lack() if spec.small_disk_mb else None


def lack_for_fault(kind: str, *, has_link_filters: bool = False) -> Lack | None:
    """What stands in the way of faults of a kind on local processes; a clock's own file looks for libfaketime.

    `has_link_filters`: whether they drop what comes from other nodes, and goes to them, themselves.
    """
    if kind in LINK_FAULTS:
        return None if kind == "partition" and has_link_filters else namespaces.lack()
    if kind == DISK_FAULT:
        return small_disk.lack()
    if kind in FAULTY_DISK_FAULTS:
        return faulty_disk.lack()
    return None if kind in (*PROCESS_FAULTS, *REQUEST_FAULTS, CLOCK_FAULT) else no_such_fault(kind)


def open_local_cluster(name: str, software: Sequence[Software], spec: ClusterSpec) -> LocalCluster:
    """Formats and starts the nodes and waits until all is well. `software` runs the nodes in turn.

    TargetTrouble, with a log's end, when it fails.
    """
    return again_if_port_is_taken(lambda: _open_once(name, software, spec))


def _open_once(name: str, software: Sequence[Software], spec: ClusterSpec) -> LocalCluster:
    leftovers.sweep_folders()
    folder = leftovers.new_folder(spec.in_memory)
    try:
        network = _network(folder, spec)
        disks = _disks(folder, spec)
        plans = _plans(folder, spec, network, disks)
        faulty = _faulty_disks(folder, plans) if spec.has_faulty_disks else {}
        cluster_id = broker_properties.new_id()
        for one in software:
            one.prepare(folder)
        nodes = []
        for number, (plan, runs) in enumerate(zip(plans, cycle(software), strict=False), 1):
            properties = folder / _file_of(plan, "server", "properties", is_alone=len(plans) == 1)
            settings = settings_of(plan, plans, spec.config) if len(plans) > 1 else _settings_of_one(plan, spec)
            properties.write_text(broker_properties.text_of(settings), encoding="utf-8")
            has_link_filter = network is None and len(plans) > 1
            nodes.append(
                LocalNode(
                    name=name,
                    plan=plan,
                    properties=properties,
                    software=runs,
                    host=None if network is None else network.host_of(number),
                    small_disk=disks.get(plan.id),
                    faulty_disk=faulty.get(plan.id),
                    link_filter=folder / f"links-{plan.id}" if has_link_filter else None,
                )
            )
        _format_all(name, software, plans, folder, cluster_id)
        for disk in faulty.values():
            disk.flush_all()
    except BaseException:
        leftovers.remove_folder(folder)
        raise
    versions = "+".join(dict.fromkeys(one.version for one in software))
    cluster = LocalCluster(nodes, folder, versions, network)
    try:
        for node in nodes:
            node.start()
        for node in nodes:
            node.wait_ready()
        if len(nodes) > 1:
            cluster.wait_healthy()
    except BaseException:
        cluster.close()
        raise
    return cluster


def _network(folder: Path, spec: ClusterSpec) -> Network | None:
    """A network where several nodes can have one; written down before it is made, so that it is found again."""
    if spec.nodes + spec.controllers == 1 or namespaces.lack() is not None:
        return None
    network = namespaces.choose_network()
    leftovers.note_network(folder, network)
    network.create(spec.nodes + spec.controllers)
    return network


def _disks(folder: Path, spec: ClusterSpec) -> dict[int, SmallDisk]:
    """A small disk for each broker, mounted, where they were asked for."""
    disks: dict[int, SmallDisk] = {}
    if spec.small_disk_mb:
        for number in range(1, spec.nodes + 1):
            place = (folder / small_disk.FOLDER).parent
            disks[number] = SmallDisk(place if spec.nodes == 1 else Path(f"{place}-{number}"), spec.small_disk_mb)
            disks[number].mount()
    return disks


def _faulty_disks(folder: Path, plans: Sequence[NodePlan]) -> dict[int, FaultyDisk]:
    """A faulty disk for the first log folder of each node, mounted."""
    disks: dict[int, FaultyDisk] = {}
    for plan in plans:
        disk = disks[plan.id] = FaultyDisk(Path(plan.log_dirs[0]), folder / f"disk-{plan.id}.log")
        disk.mount(beside=folder)
        if disk.pid is not None:
            leftovers.note_process(folder, disk.pid, f"disk-{plan.id}")
    return disks


def _plans(
    folder: Path, spec: ClusterSpec, network: Network | None, disks: Mapping[int, SmallDisk]
) -> tuple[NodePlan, ...]:
    chosen = node_roles(spec.nodes, spec.controllers)
    is_alone = len(chosen) == 1
    listeners = [listeners_of(roles, is_alone) for _, roles in chosen]
    free = iter(free_ports(sum(map(len, listeners)))) if network is None else None
    plans = []
    for number, ((node_id, roles), names) in enumerate(zip(chosen, listeners, strict=True)):
        ports = {name: next(free) if free is not None else _FIRST_PORT + place for place, name in enumerate(names)}
        data = folder / ("data" if is_alone else f"data-{node_id}")
        log_dirs = [str(data), *([str(disks[node_id].data_dir)] if node_id in disks else [])]
        plans.append(
            NodePlan(
                id=node_id,
                roles=roles,
                host=_LOOPBACK if network is None else network.address_of(number + 1),
                ports=ports,
                log_dirs=tuple(log_dirs),
                rack=spec.racks[number % len(spec.racks)] if spec.racks else None,
                directory_id=broker_properties.new_id() if spec.has_dynamic_voters else "",
            )
        )
    return tuple(plans)


def _settings_of_one(plan: NodePlan, spec: ClusterSpec) -> dict[str, str]:
    """Of a single node: without a listener between brokers, as it has always been compared."""
    return broker_properties.for_one_node(
        node_id=plan.id,
        port=plan.ports["PLAINTEXT"],
        controller_port=plan.ports["CONTROLLER"],
        log_dir=Path(plan.log_dirs[0]),
        has_fixed_voters=not plan.directory_id,
        overrides={**({"log.dirs": ",".join(plan.log_dirs)} if len(plan.log_dirs) > 1 else {}), **spec.config},
    )


def _file_of(plan: NodePlan, stem: str, suffix: str, *, is_alone: bool) -> str:
    return f"{stem}.{suffix}" if is_alone else f"{stem}-{plan.id}.{suffix}"


def _format_all(
    name: str, software: Sequence[Software], plans: Sequence[NodePlan], folder: Path, cluster_id: str
) -> None:
    """Formats the storage of all nodes, at the same time."""

    voters = first_voters(plans)

    def formatted(plan: NodePlan, runs: Software) -> None:
        properties = folder / _file_of(plan, "server", "properties", is_alone=len(plans) == 1)
        log = folder / f"node-{plan.id}.log"
        command = runs.format_command(properties, cluster_id)
        if voters and plan.is_controller:
            command += ["--initial-controllers", voters]
        tool = LocalProcess(command, folder=folder, log=log, environment=runs.environment)
        tool.start()
        tool.wait(_FORMAT_TIMEOUT_S)
        if tool.exit_status != 0:
            text = log.read_text(encoding="utf-8", errors="replace")
            said = last_lines(text)
            raise TargetTrouble(f"{name}: formatting ended with status {tool.exit_status}; it said:\n{said}")

    with ThreadPoolExecutor(len(plans)) as pool:
        list(pool.map(formatted, plans, cycle(software)))
