"""A cluster of one local process in a temporary folder; the reference and Kafka differ in their commands only."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.hosts import small_disk
from harness.hosts.host import ProcessState
from harness.hosts.plain import LocalProcess
from harness.hosts.small_disk import SmallDisk
from harness.targets import broker_properties, leftovers
from harness.targets.cluster_view import ClusterView
from harness.targets.health import HEALTHY_WITHIN_S, wait_until_healthy
from harness.targets.looking import look_at
from harness.targets.ports import free_ports
from harness.targets.readiness import last_lines, wait_until_ready
from harness.targets.target import DISK_FAULT, PROCESS_FAULTS, ClusterSpec, TargetTrouble

_FORMAT_TIMEOUT_S = 60.0
_PORT_TRIES = 3
_PORT_TAKEN = ("Address already in use", "BindException")


@dataclass(frozen=True, slots=True, kw_only=True)
class Software:
    """What runs a node: commands that take a properties file, and how long they may take."""

    version: str
    format_command: Callable[[Path, str], list[str]]
    """(properties file, cluster id) -> the command that formats the storage."""
    start_command: Callable[[Path], list[str]]
    """(properties file) -> the command that runs the node."""
    environment: Mapping[str, str]
    prepare: Callable[[Path], None] = lambda folder: None
    """Puts further files into the node's folder."""
    ready_timeout_s: float = 60.0
    stop_timeout_s: float = 30.0


class LocalNode:
    """A node as a local process (Node)."""

    def __init__(
        self,
        *,
        name: str,
        node_id: int,
        port: int,
        data_dir: Path,
        process: LocalProcess,
        software: Software,
        small_disk: SmallDisk | None = None,
    ) -> None:
        self.name = name
        self._id = node_id
        self._port = port
        self._data_dir = data_dir
        self._small_disk = small_disk
        self._process = process
        self._software = software

    @property
    def id(self) -> int:
        """Its node.id."""
        return self._id

    @property
    def address(self) -> tuple[str, int]:
        """Host and port at which clients reach it."""
        return ("127.0.0.1", self._port)

    @property
    def internal_address(self) -> None:
        """None: a single node has no peers."""
        return None

    @property
    def ports(self) -> Mapping[str, int]:
        """Listener → port, of the listener for clients."""
        return {"PLAINTEXT": self._port}

    @property
    def host(self) -> None:
        """None: it shares this machine's network namespace."""
        return None

    @property
    def data_dir(self) -> Path:
        """Its log.dirs entry."""
        return self._data_dir

    @property
    def small_disk(self) -> SmallDisk | None:
        """The disk of its second log folder, where it has one."""
        return self._small_disk

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
        self._process.start()
        if (pid := self._process.pid) is not None:
            leftovers.note_process(self._process.folder, pid)

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
        """Waits until it answers and lists a broker. TargetTrouble, with the end of its log, when it does not."""
        wait_until_ready(
            self.address,
            name=self.name,
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


class LocalCluster:
    """One node in a temporary folder that goes with it (Cluster)."""

    def __init__(self, node: LocalNode, folder: Path, version: str) -> None:
        self._node = node
        self._folder = folder
        self._version = version
        self._final_logs: dict[str, str] | None = None
        self._lock = threading.Lock()
        atexit.register(self.close)

    @property
    def bootstrap(self) -> str:
        """host:port for clients."""
        host, port = self._node.address
        return f"{host}:{port}"

    @property
    def nodes(self) -> tuple[LocalNode, ...]:
        """The node."""
        return (self._node,)

    @property
    def folder(self) -> Path:
        """Holds server.properties, the data and the log, until close."""
        return self._folder

    @property
    def client_addresses(self) -> tuple[str, ...]:
        """None are known."""
        return ()

    def version(self) -> str:
        """The release."""
        return self._version

    def view(self, topics: Sequence[str] | None = None, groups: Sequence[str] = ()) -> ClusterView:
        """What it looks like now, from outside. TargetTrouble when no broker says."""
        return look_at(self.bootstrap, [self._node.id], topics, groups)

    def wait_healthy(self, timeout_s: float = HEALTHY_WITHIN_S) -> None:
        """Waits until nothing ails it. TargetTrouble, with what does, when it takes too long."""
        wait_until_healthy(self.view, [self._node.id], timeout_s)

    def supports(self, fault: str) -> bool:
        """Whether a fault can be brought about here."""
        return fault in PROCESS_FAULTS or (fault == DISK_FAULT and self._node.small_disk is not None)

    def logs(self) -> Mapping[str, str]:
        """The node's log by a file name; kept after close."""
        return self._final_logs or {f"node-{self._node.id}.log": self._node.log_text()}

    def close(self) -> None:
        """Kills the node, whatever its state, and removes its folder; its log stays readable."""
        with self._lock:
            if self._final_logs is None:
                self._node.kill()
                self._final_logs = dict(self.logs())
                leftovers.remove_folder(self._folder)
                atexit.unregister(self.close)


def missing(spec: ClusterSpec | None) -> str | None:
    """Why a cluster cannot be had as one local process; None when it can."""
    if spec is not None and spec.nodes != 1:
        return f"clusters of {spec.nodes} nodes are not offered yet"
    return small_disk.missing() if spec is not None and spec.small_disk_mb else None


def supports(fault: str) -> bool:
    """Whether a fault, by its name, can be brought about on one local process."""
    return fault in PROCESS_FAULTS or (fault == DISK_FAULT and small_disk.missing() is None)


def open_local_cluster(name: str, software: Software, spec: ClusterSpec) -> LocalCluster:
    """Formats and starts one node and waits until it is ready. TargetTrouble, with its log's end, when it fails."""
    if spec.nodes != 1:
        raise TargetTrouble(f"{name}: clusters of {spec.nodes} nodes are not offered yet, only of 1")
    for attempt in range(_PORT_TRIES):
        try:
            return _open_once(name, software, spec)
        except TargetTrouble as trouble:
            # Between our look and the node's bind another process may have taken the port.
            if attempt == _PORT_TRIES - 1 or not any(sign in str(trouble) for sign in _PORT_TAKEN):
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def _open_once(name: str, software: Software, spec: ClusterSpec) -> LocalCluster:
    leftovers.sweep_folders()
    folder = leftovers.new_folder(spec.in_memory)
    try:
        port, controller_port = free_ports(2)
        properties, data_dir = folder / "server.properties", folder / "data"
        disk, overrides = None, dict(spec.config)
        if spec.small_disk_mb:
            disk = SmallDisk((folder / small_disk.FOLDER).parent, spec.small_disk_mb)
            disk.mount()
            overrides = {"log.dirs": f"{data_dir},{disk.data_dir}", **overrides}
        settings = broker_properties.for_one_node(
            node_id=1, port=port, controller_port=controller_port, log_dir=data_dir, overrides=overrides
        )
        properties.write_text(broker_properties.text_of(settings), encoding="utf-8")
        software.prepare(folder)
        log = folder / "node-1.log"
        _format(name, software, properties, log)
        process = LocalProcess(
            software.start_command(properties), folder=folder, log=log, environment=software.environment
        )
        node = LocalNode(
            name=name, node_id=1, port=port, data_dir=data_dir, small_disk=disk, process=process, software=software
        )
    except BaseException:
        leftovers.remove_folder(folder)
        raise
    cluster = LocalCluster(node, folder, software.version)
    try:
        node.start()
        node.wait_ready()
    except BaseException:
        cluster.close()
        raise
    return cluster


def _format(name: str, software: Software, properties: Path, log: Path) -> None:
    command = software.format_command(properties, broker_properties.new_cluster_id())
    tool = LocalProcess(command, folder=properties.parent, log=log, environment=software.environment)
    tool.start()
    tool.wait(_FORMAT_TIMEOUT_S)
    if tool.exit_status != 0:
        text = log.read_text(encoding="utf-8", errors="replace")
        raise TargetTrouble(f"{name}: formatting ended with status {tool.exit_status}; it said:\n{last_lines(text)}")
