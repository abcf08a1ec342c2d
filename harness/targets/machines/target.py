"""The target `ssh:FILE.toml`: a cluster on machines reached by SSH, which its owner has installed and configured."""

from __future__ import annotations

from pathlib import Path

import paramiko

from harness.hosts.at_once import at_once
from harness.hosts.host import HostTrouble
from harness.hosts.ssh import SshHost, known_keys
from harness.targets.machines.cluster import MachineCluster, may_have
from harness.targets.machines.file import BadFile, Machine, read
from harness.targets.machines.node import MachineNode
from harness.targets.node_plan import Role
from harness.targets.target import ClusterSpec, TargetTrouble, UnknownTarget

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
        """As given by `--target`."""
        return self._name

    @property
    def _has_root(self) -> bool:
        return all(machine.is_sudo or machine.user == "root" for machine in self._file.machines)

    def missing(self, spec: ClusterSpec | None = None) -> str | None:
        """Why a check cannot use it: its settings and its size are its owner's, and its machines must let us in."""
        if spec is not None and (reason := self._unlike(spec)) is not None:
            return f"{self.name}: {reason}"
        try:
            at_once(lambda host: host.connect(_CONNECT_TIMEOUT_S), list(self._hosts.values()))
        except HostTrouble as trouble:
            return f"{self.name}: {trouble}"
        return None

    def supports(self, fault: str) -> bool:
        """Whether a fault can be brought about on it."""
        return may_have(fault, has_root=self._has_root)

    def open(self, spec: ClusterSpec) -> MachineCluster:
        """The cluster, with all nodes running. TargetTrouble when it does not become well, with what a log said."""
        if (reason := self.missing(spec)) is not None:
            raise TargetTrouble(reason)
        nodes = [MachineNode(self.name, machine, self._hosts[machine.id]) for machine in self._file.machines]
        clients = [host.seen_from() for host in self._hosts.values()]
        cluster = MachineCluster(nodes, self._file.version, clients, has_root=self._has_root)
        try:
            cluster.start()
        except BaseException:
            cluster.close()
            raise
        return cluster

    def _unlike(self, spec: ClusterSpec) -> str | None:
        machines = self._file.machines
        brokers = sum(1 for machine in machines if Role.BROKER in machine.roles)
        alone = sum(1 for machine in machines if machine.roles == (Role.CONTROLLER,))
        if spec.config:
            return f"it is not ours to configure ({', '.join(sorted(spec.config))} wanted)"
        if spec.small_disk_mb:
            return "no hand on its disks"
        if brokers < spec.nodes:
            return f"it has {brokers} brokers; {spec.nodes} are wanted"
        if alone < spec.controllers:
            return f"it has {alone} nodes that are controllers only; {spec.controllers} are wanted"
        if len(set(spec.racks)) > len({machine.rack for machine in machines} - {None}):
            return f"its file names fewer racks than are wanted ({', '.join(sorted(set(spec.racks)))})"
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
