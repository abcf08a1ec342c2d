"""A node of a simulated world, as the harness controls it."""

from __future__ import annotations

from pathlib import Path

from harness.hosts.faulty_disk.disk import FaultyDisk
from harness.hosts.host import Host, HostTrouble
from harness.hosts.link_filter import LinkFilterFile
from harness.hosts.small_disk import SmallDisk
from harness.targets.node_plan import NodePlan
from harness.targets.planned_node import PlannedNode
from harness.targets.readiness import wait_until_ready
from harness.targets.simulated.executor import VirtualExecutor
from harness.targets.simulated.machine import MachineOfWorld
from reference_broker.simulation.simulated_node import SimulatedNode

_READY_S = 60.0
_STOPS_S = 60.0


class NodeOfWorld(PlannedNode):
    """One node (Node): what is done to it happens at once, in virtual time."""

    environment: dict[str, str] | None = None
    host: Host | None = None
    data_dir: Path | None = None
    small_disk: SmallDisk | None = None
    faulty_disk: FaultyDisk | None = None
    link_filter: LinkFilterFile | None = None

    def __init__(self, name: str, plan: NodePlan, executor: VirtualExecutor) -> None:
        super().__init__(name, plan)
        self._executor = executor
        self.machine = MachineOfWorld(executor.world, plan.id)

    @property
    def own(self) -> SimulatedNode:
        """The node in its world."""
        return self._executor.world.nodes[self.id]

    @property
    def internal_address(self) -> str:
        """The address at which its peers reach it."""
        return self._plan.host

    def fetch_log_dirs(self, into: Path) -> tuple[Path, ...]:
        """Copies its log folders from its disk."""
        found = []
        for number, folder in enumerate(self._plan.log_dirs):
            copy = into / f"node-{self.id}-{number}"
            self._copy(folder, copy)
            found.append(copy)
        return tuple(found)

    def _copy(self, folder: str, into: Path) -> None:
        disk = self.own.disk
        into.mkdir(parents=True, exist_ok=True)
        for name in disk.list(folder):
            path = f"{folder}/{name}"
            if disk.is_directory(path):
                self._copy(path, into / name)
            else:
                (into / name).write_bytes(disk.read(path))

    def start(self) -> None:
        """Starts it on what its disk has. HostTrouble when it runs already."""
        if self.is_alive():
            raise HostTrouble(f"node {self.id} is already running")
        self._executor.world.start(self.id)

    def stop(self) -> None:
        """Stops it in order. HostTrouble, after a kill, when it takes too long."""
        if self.is_paused():
            self.resume()
        self._executor.world.stop(self.id)
        if not self._executor.wait_for(lambda: not self.is_alive(), _STOPS_S):
            self.kill()
            raise HostTrouble(f"node {self.id} did not stop within {_STOPS_S:g} s; killed it")

    def kill(self) -> None:
        """Ends its process at once; what it wrote is still there."""
        self._executor.world.kill(self.id)

    def pause(self) -> None:
        """Stops its process from running. HostTrouble when it is off."""
        if not self.is_alive():
            raise HostTrouble(f"node {self.id} is not running, and cannot be paused")
        self._executor.world.pause(self.id)

    def resume(self) -> None:
        """Has it run again."""
        self._executor.world.resume(self.id)

    def is_alive(self) -> bool:
        """Whether its process exists; a paused one does."""
        return self.own.process is not None

    def is_paused(self) -> bool:
        """Whether its process is stopped from running."""
        return self.own.is_paused

    def wait_ready(self, timeout_s: float = _READY_S) -> None:
        """Waits until it answers and, as a broker, is not fenced. TargetTrouble, with its log's end, if not."""
        wait_until_ready(
            self.address,
            broker_id=self.id if self.is_broker else None,
            name=f"{self.name}, node {self.id}",
            timeout_s=timeout_s,
            is_alive=self.is_alive,
            log_text=self.log_text,
        )

    def log_text(self) -> str:
        """All that happened to it, and all that it has logged: time in ms, then what."""
        own = f"{self.id}:"
        lines = (line.split(" ", 2) for line in self._executor.world.lines)
        told = [f"{words[0]} {words[2]}" for words in lines if len(words) > 2 and words[1] == own]
        return "".join(f"{line}\n" for line in told)
