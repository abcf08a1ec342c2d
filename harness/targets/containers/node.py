"""A node as a pair of containers, the shape of a Kubernetes pod.

The *anchor* is ours: it owns the address, the network namespace and the process namespace, and runs sshd. The Kafka
container, unmodified, joins both namespaces. When Kafka is killed, the anchor, its address and its rules stay.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.hosts.archive import unpack
from harness.hosts.host import HostTrouble, ProcessState, signal_and_verify, wait_until
from harness.hosts.ssh import SshHost
from harness.targets.node_plan import NodePlan
from harness.targets.planned_node import PlannedNode
from harness.targets.readiness import wait_until_ready

_KAFKA_PATTERN = "kafka[.]Kafka( |$)|reference_broker containe[r]"
"""The command line of a broker: in a JVM, as a native image, or ours; the brackets keep pgrep's shell from matching
itself."""
_STOP_TIMEOUT_S = 30
_STATE_TIMEOUT_S = 10.0
_EXIT_TIMEOUT_S = 20.0
_READY_TIMEOUT_S = 90.0
_ALIVE = ("running", "paused")


@dataclass(frozen=True, slots=True)
class Pair:
    """The two containers of a node (docker's own objects) and the way into the anchor."""

    anchor: Any
    kafka: Any
    ssh: SshHost


class ContainerNode(PlannedNode):
    """A pair of containers (Node)."""

    def __init__(self, name: str, *, plan: NodePlan, pair: Pair) -> None:
        super().__init__(f"{name}, node {plan.id}", plan)
        self._pair = pair
        self._lock = threading.RLock()

    @property
    def internal_address(self) -> str:
        """Its fixed address on the run's network."""
        return self._plan.host

    @property
    def environment(self) -> None:
        """None: a container's environment is fixed when it is made."""
        return None

    @property
    def link_filter(self) -> None:
        """None: packets are dropped by its host."""
        return None

    @property
    def data_dir(self) -> None:
        """Inside the container: out of reach."""
        return None

    def fetch_log_dirs(self, into: Path) -> tuple[Path, ...]:
        """Copies its log.dirs below a folder here."""
        found = []
        for number, folder in enumerate(self._plan.log_dirs):
            place = into / f"node-{self.id}-{number}"
            place.mkdir(parents=True)
            with _docker_trouble(self.name):
                chunks, _ = self._pair.kafka.get_archive(folder)
                unpack(chunks, place, self.name)
            found.append(place / Path(folder).name)
        return tuple(found)

    @property
    def faulty_disk(self) -> None:
        """None: its folders are inside the container."""
        return None

    @property
    def small_disk(self) -> None:
        """None: its folders are inside the container."""
        return None

    @property
    def host(self) -> SshHost:
        """The anchor, by SSH: inside the node's namespaces."""
        return self._pair.ssh

    def start(self) -> None:
        """Starts the Kafka container on the data it had, and returns before it answers."""
        with self._lock:
            if self.is_alive():
                raise HostTrouble(f"{self.name} is already running")
            with _docker_trouble(self.name):
                self._pair.kafka.start()

    def stop(self) -> None:
        """Clean stop (SIGTERM), waited for. HostTrouble when Docker had to kill it."""
        with self._lock:
            if not self.is_alive():
                return
            if self.is_paused():
                self.resume()
            with _docker_trouble(self.name):
                self._pair.kafka.stop(timeout=_STOP_TIMEOUT_S)
                self._pair.kafka.reload()
            if self._pair.kafka.attrs["State"]["ExitCode"] == 128 + signal.SIGKILL:
                raise HostTrouble(f"{self.name} did not end within {_STOP_TIMEOUT_S} s of SIGTERM; Docker killed it")

    def kill(self) -> None:
        """SIGKILL to Kafka, over SSH from inside its namespaces; waits until its container has ended."""
        with self._lock:
            if not self.is_alive():
                return
            pid = self._find_pid()
            if pid is None:  # not yet Kafka: the image still prepares its settings
                with _docker_trouble(self.name):
                    self._pair.kafka.kill()
            else:
                self.host.send_signal(pid, signal.SIGKILL)
            wait_until(
                lambda: not self.is_alive(), _EXIT_TIMEOUT_S, f"{self.name} is still running after SIGKILL", 0.02
            )

    def pause(self) -> None:
        """SIGSTOP, verified."""
        signal_and_verify(self.host, self._pid(), signal.SIGSTOP, ProcessState.STOPPED, _STATE_TIMEOUT_S)

    def resume(self) -> None:
        """SIGCONT, verified."""
        signal_and_verify(self.host, self._pid(), signal.SIGCONT, ProcessState.RUNNING, _STATE_TIMEOUT_S)

    def is_alive(self) -> bool:
        """Whether its container runs; with a paused process it does."""
        with self._lock, _docker_trouble(self.name):
            self._pair.kafka.reload()
            return self._pair.kafka.status in _ALIVE

    def is_paused(self) -> bool:
        """Whether its process is stopped by a signal."""
        pid = self._find_pid()
        return pid is not None and self.host.state_of(pid) is ProcessState.STOPPED

    def wait_ready(self, timeout_s: float = _READY_TIMEOUT_S) -> None:
        """Waits until it answers and, as a broker, is not fenced. TargetTrouble, with its log's end, if not."""
        wait_until_ready(
            self.address,
            broker_id=self.id if self.is_broker else None,
            name=self.name,
            timeout_s=timeout_s,
            is_alive=self.is_alive,
            log_text=self.log_text,
        )

    def log_text(self) -> str:
        """All that its container has written since the first start."""
        with _docker_trouble(self.name):
            text: bytes = self._pair.kafka.logs()
        return text.decode("utf-8", errors="replace")

    def remove(self) -> None:
        """Removes both containers and their volumes, whatever their state; nothing happens when they are gone."""
        import docker

        self._pair.ssh.close()
        for container in (self._pair.kafka, self._pair.anchor):
            with contextlib.suppress(docker.errors.NotFound):
                container.remove(force=True, v=True)

    def _find_pid(self) -> int | None:
        found = self.host.run(["pgrep", "-o", "-f", _KAFKA_PATTERN])
        return int(found.output) if found.status == 0 else None

    def _pid(self) -> int:
        pid = self._find_pid()
        if pid is None:
            raise HostTrouble(f"{self.name}: Kafka is not running in the container")
        return pid


@contextlib.contextmanager
def _docker_trouble(name: str) -> Any:
    """What Docker or the way to it refuses is the harness's trouble."""
    import docker
    import requests

    try:
        yield
    except (docker.errors.DockerException, requests.RequestException) as trouble:
        raise HostTrouble(f"{name}: Docker: {trouble}") from trouble
