"""A node as a local process; the reference and Kafka differ in their commands only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.hosts.faulty_disk.disk import FaultyDisk
from harness.hosts.host import ProcessState
from harness.hosts.link_filter import LinkFilterFile
from harness.hosts.namespaces import NamespaceHost
from harness.hosts.plain import LocalProcess
from harness.hosts.small_disk import SmallDisk
from harness.targets import leftovers
from harness.targets.node_plan import NodePlan
from harness.targets.planned_node import PlannedNode
from harness.targets.readiness import wait_until_ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Software:
    """What runs a node: commands that take a properties file, and how long they may take."""

    version: str
    format_command: Callable[[Path, str], list[str]]
    """(properties file, cluster id) -> the command that formats the storage; further options may follow it."""
    start_command: Callable[[Path], list[str]]
    """(properties file) -> the command that runs the node."""
    environment: Mapping[str, str]
    link_filter_option: str | None = None
    """The option of its start command that names a file of rules by which it drops what goes to other nodes and comes
    from them; None where it has none."""
    prepare: Callable[[Path], None] = lambda folder: None
    """Puts further files into the node's folder."""
    ready_timeout_s: float = 60.0
    stop_timeout_s: float = 30.0


class LocalNode(PlannedNode):
    """A node as a local process (Node)."""

    def __init__(
        self,
        *,
        name: str,
        plan: NodePlan,
        properties: Path,
        software: Software,
        host: NamespaceHost | None = None,
        small_disk: SmallDisk | None = None,
        faulty_disk: FaultyDisk | None = None,
        link_filter: Path | None = None,
    ) -> None:
        """`properties` is the file of its settings; its log stands beside it. `link_filter` is where software that can
        refuse its peers itself is to look for whom."""
        super().__init__(name, plan)
        self._small_disk, self._faulty_disk = small_disk, faulty_disk
        self.properties, self._link_filter_path = properties, link_filter
        self._host = host
        folder = properties.parent
        self._process = LocalProcess((), folder=folder, log=folder / f"node-{plan.id}.log", environment={})
        self.run_with(software)

    def run_with(self, software: Software) -> None:
        """From its next start on, other software runs it: on the same settings, folders and addresses."""
        self._software = software
        command = software.start_command(self.properties)
        self._link_filter: LinkFilterFile | None = None
        if software.link_filter_option is not None and self._link_filter_path is not None:
            command += [software.link_filter_option, str(self._link_filter_path)]
            process = self._process
            self._link_filter = LinkFilterFile(
                self._link_filter_path, state=lambda: process.state, send_signal=process.send_signal
            )
        self._process.command = command if self._host is None else self._host.inside(command)
        self._process.environment = dict(software.environment)

    @property
    def internal_address(self) -> str | None:
        """The address of its own from which its packets come; None where it shares this machine's."""
        return None if self._host is None else self._plan.host

    @property
    def host(self) -> NamespaceHost | None:
        """Runs commands in its network namespace; None where it has none."""
        return self._host

    @property
    def environment(self) -> dict[str, str]:
        """Variables of its environment beside this process's own, from its next start on; may be changed."""
        return self._process.environment

    @property
    def data_dir(self) -> Path:
        """Its first log.dirs entry."""
        return Path(self._plan.log_dirs[0])

    def fetch_log_dirs(self, into: Path) -> tuple[Path, ...]:
        """Its log.dirs; no copy is needed."""
        return tuple(map(Path, self._plan.log_dirs))

    @property
    def small_disk(self) -> SmallDisk | None:
        """The disk of its second log folder, where it has one."""
        return self._small_disk

    @property
    def faulty_disk(self) -> FaultyDisk | None:
        """The disk of its first log folder, where that can be told to lose what was not flushed."""
        return self._faulty_disk

    @property
    def link_filter(self) -> LinkFilterFile | None:
        """By which it drops what goes to other nodes and comes from them, where it does that itself."""
        return self._link_filter

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """How its process ended last; negative for a signal."""
        return self._process.exit_status

    def start(self) -> None:
        """Starts it on the data and port that it had, and returns before it answers."""
        if self._link_filter is not None and not self._process.is_alive:
            self._link_filter.forget()
        self._process.start()
        if (pid := self._process.pid) is not None:
            leftovers.note_process(self._process.folder, pid, self._process.log.stem)

    def stop(self) -> None:
        """Clean stop (SIGTERM), waited for. HostTrouble when it takes too long."""
        self._process.stop(self._software.stop_timeout_s)

    def kill(self) -> None:
        """SIGKILL, waited for."""
        self._process.kill()

    def pause(self) -> None:
        """SIGSTOP, verified."""
        self._process.pause()

    def resume(self) -> None:
        """SIGCONT, verified."""
        self._process.resume()

    def is_alive(self) -> bool:
        """Whether its process exists; a paused one does."""
        return self._process.is_alive

    def is_paused(self) -> bool:
        """Whether its process is stopped by a signal."""
        return self._process.state is ProcessState.STOPPED

    def wait_ready(self, timeout_s: float | None = None) -> None:
        """Waits until it answers and, as a broker, is not fenced. TargetTrouble, with its log's end, if not."""
        wait_until_ready(
            self.address,
            broker_id=self._plan.id if self._plan.is_broker else None,
            name=f"{self.name}, node {self._plan.id}",
            timeout_s=self._software.ready_timeout_s if timeout_s is None else timeout_s,
            is_alive=self.is_alive,
            log_text=self.log_text,
        )

    def log_text(self) -> str:
        """All that its process has written since the first start."""
        try:
            return self._process.log.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""
