"""What checks run against: a target opens clusters, a cluster has nodes, nodes can be made to fail.

All calls are synchronous and may come from any thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from harness.hosts.executor import Executor
from harness.hosts.faulty_disk.disk import FaultyDisk
from harness.hosts.host import Host, HostTrouble
from harness.hosts.lack import Lack, Means
from harness.hosts.link_filter import LinkFilterFile
from harness.hosts.links import Links
from harness.hosts.small_disk import SmallDisk
from harness.hosts.virtual_machine import VirtualMachine
from harness.targets.cluster_view import ClusterView
from harness.targets.node_plan import Role
from harness.targets.target_kind import MIXED_PREFIX, parts_of
from harness.targets.target_kind import TargetKind as TargetKind
from reference_broker.command_line import as_typed

MACHINE_FAULTS = ("power", "slow-disk")
"""Faults that need machines on which a call can act, those of a simulated cluster, or nodes with faulty disks."""
FAULTY_DISK_FAULTS = (*MACHINE_FAULTS, "broken-disk")
"""Faults that nodes with faulty disks can have."""
PROCESS_FAULTS = ("kill", "pause", "restart", "roll", "membership", "damage")
"""Faults that need control over the nodes' processes."""
REQUEST_FAULTS = ("leadership",)
"""Faults that are requests of an operator."""

LINK_FAULTS = ("partition", "packet")
"""Faults that need nodes with addresses of their own, whose packets can be dropped. Nodes that filter their links need
that for the second only."""
DISK_FAULT = "disk"
"""The fault that needs a node with a small disk."""
CLOCK_FAULT = "clock"
"""The fault that needs a node whose environment is ours, since libfaketime is preloaded."""
NOT_ENVIRONMENT = Lack(Means.FAULTS, "cannot move clocks: the environment of its processes cannot be changed")
NOT_VOTERS = Lack(Means.SOFTWARE, "voters can be added and removed only on clusters of kafka@VERSION and reference")
NOT_FAULTY = Lack(Means.FAULTS, "its nodes have no faulty disk")
NOT_DISKS = Lack(Means.FAULTS, "cannot fill disks: its nodes have no small disk of their own")


class TargetTrouble(HostTrouble):
    """A cluster could not be opened or did not answer: the verdict is unknown, not a broken promise."""


class UnknownTarget(ValueError):
    """A `--target` that does not exist; the text lists the known ones."""


@dataclass(frozen=True, slots=True)
class ClusterSpec:
    """What a check wants: how many nodes, settings on top of the target's defaults (Kafka's own keys), which disk."""

    nodes: int = 1
    """With the role of a broker."""
    controllers: int = 0
    """Nodes that are controllers only; without any, every broker is a controller too."""
    racks: tuple[str, ...] = ()
    """broker.rack of the brokers, in turn."""
    config: Mapping[str, str] = field(default_factory=dict)
    small_disk_mb: int = 0
    """Size of a disk of each node's own, with its second log folder on it; 0 for none."""
    has_faulty_disks: bool = False
    """Whether each node's first log folder is on a disk that can lose what was not flushed, fail and be slow. Simulated
    nodes have no other."""
    has_dynamic_voters: bool = False
    """Whether controllers can be added to the quorum and removed (KIP-853); else controller.quorum.voters is fixed."""
    in_memory: bool = False
    """Whether local nodes may keep their data in memory: no change waits for a disk, and only a lost machine tells."""
    is_exact: bool = False
    """Whether a claim is about exactly so many nodes."""
    seed: str = ""
    """Of all chance in a simulated cluster; of no meaning on other targets."""

    @property
    def is_fixed(self) -> bool:
        """Whether another number of nodes would be another claim's cluster: the claim counts them (`is_exact`), some
        are controllers only, they stand in racks, have small disks, or come and go as voters."""
        return bool(self.is_exact or self.controllers or self.racks or self.small_disk_mb or self.has_dynamic_voters)

    def key(self) -> tuple[object, ...]:
        """Equal for specifications that one cluster can serve; can be hashed."""
        settings = tuple(sorted(self.config.items()))
        options = (self.small_disk_mb, self.has_faulty_disks, self.has_dynamic_voters, self.in_memory, self.seed)
        return self.nodes, self.controllers, self.racks, *options, settings


class Node(Protocol):
    """One broker (and controller) process."""

    @property
    def id(self) -> int:
        """Its node.id."""
        ...

    @property
    def roles(self) -> tuple[Role, ...]:
        """What it is: broker, controller, or both."""
        ...

    @property
    def rack(self) -> str | None:
        """Its broker.rack."""
        ...

    @property
    def address(self) -> tuple[str, int]:
        """Host and port at which clients reach it."""
        ...

    @property
    def environment(self) -> dict[str, str] | None:
        """Variables that its next start gets beside the usual ones; may be changed. None where they cannot be."""
        ...

    @property
    def internal_address(self) -> str | None:
        """The address from which its packets come and at which peers reach it; None where it has none of its own."""
        ...

    @property
    def ports(self) -> Mapping[str, int]:
        """Listener → port where it listens: "PLAINTEXT" for clients, "INTERNAL" between brokers, "CONTROLLER"."""
        ...

    @property
    def host(self) -> Host | None:
        """Runs commands inside its network namespace; None where it has none of its own."""
        ...

    @property
    def link_filter(self) -> LinkFilterFile | None:
        """By which it drops what goes to other nodes and comes from them, where it does that itself."""
        ...

    @property
    def data_dir(self) -> Path | None:
        """Its log.dirs entry on this machine; None where it is out of reach."""
        ...

    def fetch_log_dirs(self, into: Path) -> tuple[Path, ...]:
        """Where its log.dirs can be read here: copied below `into` where they are out of reach. Indexes may be left
        out. HostTrouble when they cannot be had."""
        ...

    @property
    def machine(self) -> VirtualMachine | None:
        """The machine that it runs on, where a call can act on it."""
        ...

    @property
    def small_disk(self) -> SmallDisk | None:
        """The disk of its second log folder, where it has one."""
        ...

    @property
    def faulty_disk(self) -> FaultyDisk | None:
        """The disk of its first log folder, where that can be told to lose what was not flushed."""
        ...

    def start(self) -> None:
        """Starts it on the data and port that it had, and returns before it answers."""
        ...

    def stop(self) -> None:
        """Clean stop (SIGTERM), waited for. HostTrouble when it takes too long."""
        ...

    def kill(self) -> None:
        """SIGKILL, waited for."""
        ...

    def pause(self) -> None:
        """SIGSTOP, verified."""
        ...

    def resume(self) -> None:
        """SIGCONT, verified."""
        ...

    def is_alive(self) -> bool:
        """Whether its process exists; a paused one does."""
        ...

    def is_paused(self) -> bool:
        """Whether its process is stopped by a signal."""
        ...

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        """Waits until it answers requests and lists itself as a broker. TargetTrouble when it does not."""
        ...

    def log_text(self) -> str:
        """All that its process has written since the first start."""
        ...


class Cluster(Protocol):
    """Running nodes that form one cluster."""

    @property
    def bootstrap(self) -> str:
        """host:port,… for clients."""
        ...

    @property
    def executor(self) -> Executor:
        """Whose time passes for it, and by whom its nodes are reached."""
        ...

    @property
    def links(self) -> Links | None:
        """Its links, where they can be cut by a call; None where that takes rules on hosts or in nodes."""
        ...

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes that the harness controls; empty if it controls none."""
        ...

    @property
    def client_addresses(self) -> tuple[str, ...]:
        """Addresses from which our clients' packets come, as the nodes see them; empty where it is not known."""
        ...

    def version(self) -> str:
        """The release, as people would say it: "4.3.1"."""
        ...

    def view(self, topics: Sequence[str] | None = None, groups: Sequence[str] = ()) -> ClusterView:
        """The cluster as Metadata and DescribeQuorum describe it now. TargetTrouble when no broker answers.

        Without `topics`, of all, internal ones too.
        """
        ...

    def wait_healthy(self, timeout_s: float = 90.0) -> None:
        """Waits for a quorum with a leader, every broker unfenced, every partition with its full ISR. TargetTrouble,
        with what is wrong, when it takes too long."""
        ...

    def lack_for_fault(self, kind: str) -> Lack | None:
        """Why faults of a kind ("kill", "partition") cannot be injected here; None when they can."""
        ...

    def logs(self) -> Mapping[str, str]:
        """Each node's log, by a file name for it."""
        ...

    def close(self) -> None:
        """Stops everything that was started and removes everything that was made; may be called twice."""
        ...


class Target(Protocol):
    """A kind of cluster that can be opened."""

    @property
    def name(self) -> str:
        """The name given with `--target`."""
        ...

    @property
    def kind(self) -> TargetKind:
        """What its clusters are made of."""
        ...

    @property
    def release(self) -> str | None:
        """The release of Kafka that it claims to be, "4.3.1", or its line, "4.3"; None where only its clusters can
        tell."""
        ...

    def lack(self, spec: ClusterSpec | None = None) -> Lack | None:
        """Why the target cannot be used here, and what to do about it; None when it can."""
        ...

    def lack_for_fault(self, kind: str) -> Lack | None:
        """Why faults of a kind ("kill", "partition") cannot be injected on its clusters; None when they can."""
        ...

    def open(self, spec: ClusterSpec) -> Cluster:
        """Opens a healthy cluster. TargetTrouble, with the end of its log, when it does not start."""
        ...


def not_configurable(spec: ClusterSpec) -> Lack:
    """Why a check that needs other settings cannot use a cluster that it cannot configure."""
    return Lack(
        Means.SOFTWARE,
        f"other settings are needed ({', '.join(sorted(spec.config))}); this target cannot be configured",
    )


def no_such_fault(kind: str) -> Lack:
    """Why a fault cannot be injected that acts on machines, or is unknown."""
    if kind in FAULTY_DISK_FAULTS:
        return Lack(Means.FAULTS, f"cannot inject {kind}: its nodes have no faulty disk")
    return Lack(Means.FAULTS, f"unknown fault {kind!r}")


def numbered(name: str, number: int) -> str:
    """The name by which one of several targets that were given alike is told from the others."""
    return name if number == 1 else f"{name}#{number}"


def as_given(name: str) -> str:
    """A target's name as it was given, of one that may be numbered."""
    return name.partition("#")[0]


TARGETS = (
    ("reference", "the reference broker, one process per node", "nothing"),
    ("reference@PROFILE", "the same, answering as another release: 4.0, 4.1, 4.2, 4.3, 4.4", "nothing"),
    ("simulated", "nodes of the reference in one thread, on virtual time; the same seed repeats a run", "nothing"),
    ("simulated@PROFILE", "the same, answering as another release", "nothing"),
    ("kafka@VERSION", "Apache Kafka's jars, fetched by Maven or from $KAFKA_HOME", "Java 17; Maven for the first use"),
    ("docker@IMAGE", "containers: a published image, or one built by `make image`", "a Docker daemon"),
    ("at:HOST:PORT[,…]", "a running cluster; no faults", "its address"),
    (
        "ssh:FILE.toml",
        "machines reached by SSH, installed and configured by you",
        "root on them for partition and packet faults",
    ),
    (
        "mixed:TARGET,TARGET[,…]",
        "a cluster whose nodes are, in turn, of these: kafka@VERSION, reference, reference@PROFILE",
        "what each of them needs",
    ),
    ("planted@PLANT", "the reference broker with a planted bug, which checks must reject", "a plant (list plants)"),
)
"""(how it is written, what it is, what it needs), for `python -m harness list targets`."""


EXTRAS = ("docker", "requests", "paramiko", "cryptography")
"""Python packages that only the targets docker@IMAGE and ssh:FILE.toml need."""
INSTALL = "pip install 'kafka-verification[harness]'"


def resolve(text: str) -> Target:
    """The target that a `--target` names. UnknownTarget, with what is known, when there is none, and with what to
    install where a Python package is missing."""
    try:
        return _resolved(text)
    except ModuleNotFoundError as missing:
        if missing.name not in EXTRAS:
            raise
        raise UnknownTarget(f"--target {text}: the Python package {missing.name} is not installed: {INSTALL}") from None


def resolve_with_sockets(text: str) -> Target:
    """The same, for clients other than our own. UnknownTarget for one whose clusters have no sockets."""
    target = resolve(text)
    if target.kind is TargetKind.SIMULATED:
        raise UnknownTarget(
            f"--target {text}: a simulated cluster has no sockets; it is for `pytest checks/` and `python -m nemesis`, "
            f"for instance {as_typed('pytest checks/durability --target simulated')}"
        )
    return target


def _resolved(text: str) -> Target:
    # Imported here: the targets import this file, and Docker's library need not be there for the reference.
    kind, _, detail = text.partition("@")
    if kind == "reference":
        from harness.targets.reference import ReferenceTarget

        return ReferenceTarget(text, detail or None)
    if kind == "simulated":
        from harness.targets.simulated.target import SimulatedTarget

        return SimulatedTarget(text, detail or None)
    if kind == "kafka":
        from harness.targets.kafka_process import KafkaProcessTarget

        return KafkaProcessTarget(text, detail or None)
    if kind == "docker" and detail:
        from harness.targets.containers.target import KafkaContainerTarget

        _require_packages("docker", "requests")  # imported when a container is first opened
        return KafkaContainerTarget(text, detail)
    if text.startswith("at:"):
        from harness.targets.address import AddressTarget

        return AddressTarget(text, text.removeprefix("at:"))
    if text.startswith("ssh:"):
        from harness.targets.machines.target import MachinesTarget

        return MachinesTarget(text, Path(text.removeprefix("ssh:")).expanduser())
    if text.startswith(MIXED_PREFIX):
        from harness.targets.mixed import mixed

        return mixed(text, [_resolved(one) for one in parts_of(text)])
    if kind == "planted":
        from harness.targets.planted import planted

        return planted(text, detail)
    known = ", ".join(form for form, _, _ in TARGETS)
    raise UnknownTarget(f"--target: unknown target {text!r} (known: {known})")


def _require_packages(*names: str) -> None:
    for name in names:
        if find_spec(name) is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
