"""The target `ssh:FILE.toml`: a cluster on machines reached by SSH, which its owner has installed and configured."""

from __future__ import annotations

from pathlib import Path

import paramiko

from harness.hosts.at_once import at_once
from harness.hosts.host import HostTrouble
from harness.hosts.lack import Lack, Means
from harness.hosts.ssh import SshHost, known_keys
from harness.targets.machines.cluster import MachineCluster, lack_for_fault
from harness.targets.machines.file import BadFile, Machine, read
from harness.targets.machines.node import MachineNode
from harness.targets.node_plan import Role
from harness.targets.target import (
    NOT_DISKS,
    NOT_FAULTY,
    NOT_VOTERS,
    ClusterSpec,
    TargetKind,
    TargetTrouble,
    UnknownTarget,
    not_configurable,
)

_CONNECT_TIMEOUT_S = 15.0


class MachinesTarget:
    """A cluster on machines (Target)."""

    def __init__(self, name: str, path: Path) -> None:
        """UnknownTarget, one line, when the file or a key that it names cannot be used."""
        self._name = name
        try:
            self._file = read(path)
            self._hosts = {machine.id: _host(machine, path) for machine in self._file.machines}
        except BadFile as trouble:
            raise UnknownTarget(f"--target {name}: {trouble}") from None

    @property
    def name(self) -> str:
        """The name given with `--target`."""
        return self._name

    @property
    def _has_root(self) -> bool:
        return all(machine.is_sudo or machine.user == "root" for machine in self._file.machines)

    @property
    def kind(self) -> TargetKind:
        """Machines."""
        return TargetKind.MACHINES

    @property
    def release(self) -> None:
        """None: the version in its file is not verified, so it chooses no recording."""
        return None

    def lack(self, spec: ClusterSpec | None = None) -> Lack | None:
        """Why a check cannot use it: settings and size are fixed, and the machines must accept our SSH connection."""
        if spec is not None and (found := self._unlike(spec)) is not None:
            return found.of(self.name)
        try:
            at_once(lambda host: host.connect(_CONNECT_TIMEOUT_S), list(self._hosts.values()))
        except HostTrouble as trouble:
            return Lack(Means.NETWORK, f"{self.name}: {trouble}")
        return None

    def lack_for_fault(self, kind: str) -> Lack | None:
        """Why faults of this kind cannot be injected on it; None when they can."""
        found = lack_for_fault(kind, has_root=self._has_root)
        return None if found is None else found.of(self.name)

    def open(self, spec: ClusterSpec) -> MachineCluster:
        """The cluster, with all nodes running. TargetTrouble when it does not become well, with what a log said."""
        if (lack := self.lack(spec)) is not None:
            raise TargetTrouble(lack.reason)
        nodes = [MachineNode(self.name, machine, self._hosts[machine.id]) for machine in self._file.machines]
        clients = [host.seen_from() for host in self._hosts.values()]
        cluster = MachineCluster(nodes, self._file.version, clients, has_root=self._has_root)
        try:
            cluster.start()
        except BaseException:
            cluster.close()
            raise
        return cluster

    def _unlike(self, spec: ClusterSpec) -> Lack | None:
        machines = self._file.machines
        brokers = sum(1 for machine in machines if Role.BROKER in machine.roles)
        alone = sum(1 for machine in machines if machine.roles == (Role.CONTROLLER,))
        if spec.config:
            return not_configurable(spec)
        if spec.small_disk_mb:
            return NOT_DISKS
        if spec.has_faulty_disks:
            return NOT_FAULTY
        if spec.has_dynamic_voters:
            return NOT_VOTERS
        if brokers < spec.nodes:
            return Lack(Means.NODES, f"{spec.nodes} brokers are needed; the cluster has {brokers}")
        if alone < spec.controllers:
            why = f"{spec.controllers} controller-only nodes are needed; the cluster has {alone}"
            return Lack(Means.NODES, why)
        if len(set(spec.racks)) > len({machine.rack for machine in machines} - {None}):
            why = f"racks {', '.join(sorted(set(spec.racks)))} are needed; the file of machines names fewer"
            return Lack(Means.NODES, why)
        return None


def _host(machine: Machine, path: Path) -> SshHost:
    """The way to a machine. BadFile when its key cannot be used or its host key is not known."""
    where = f"{path}: node {machine.id}"
    try:
        key = paramiko.PKey.from_path(machine.key)
    except Exception as trouble:  # paramiko and cryptography each have errors of their own
        raise BadFile(f"{where}: the key {machine.key} cannot be used: {trouble}") from None
    if machine.known_hosts is None:
        known: tuple[str, ...] = (str(machine.host_key),)
    else:
        known = known_keys(machine.known_hosts, machine.host, machine.ssh_port)
        if not known:
            raise BadFile(f"{where}: {machine.known_hosts} has no key of {machine.host}, port {machine.ssh_port}")
    return SshHost(
        f"node {machine.id} at {machine.host}",
        address=machine.host,
        port=machine.ssh_port,
        user=machine.user,
        key=key,
        host_keys=lambda: known,
        is_sudo=machine.is_sudo,
    )
