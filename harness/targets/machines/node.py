"""A node on a machine that is reached by SSH, started and stopped by its owner's commands."""

from __future__ import annotations

import shlex
import signal
from pathlib import Path

from harness.hosts.host import HostTrouble, ProcessState, signal_and_verify, wait_until
from harness.hosts.ssh import SshHost
from harness.targets.machines.file import Machine
from harness.targets.planned_node import PlannedNode
from harness.targets.readiness import wait_until_ready

_COMMAND_TIMEOUT_S = 60.0
_STATE_TIMEOUT_S = 10.0
_EXIT_TIMEOUT_S = 30.0
_READY_TIMEOUT_S = 90.0
_MOST_LOG = 20_000_000


class MachineNode(PlannedNode):
    """A broker on a machine of its owner's (Node)."""

    def __init__(self, name: str, machine: Machine, host: SshHost) -> None:
        super().__init__(f"{name}, node {machine.id}", machine.plan())
        self._machine = machine
        self._host = host

    @property
    def internal_address(self) -> str:
        """Where its peers reach it."""
        return self._machine.internal_address

    @property
    def environment(self) -> None:
        """None: its owner's command starts it."""
        return None

    @property
    def host(self) -> SshHost:
        """The machine."""
        return self._host

    @property
    def link_filter(self) -> None:
        """None: packets are dropped by its host."""
        return None

    @property
    def data_dir(self) -> None:
        """On the machine: out of reach here."""
        return None

    def fetch_log_dirs(self, into: Path) -> tuple[Path, ...]:
        """Copies its log.dirs below a folder here; none where the file names none."""
        found = []
        for number, folder in enumerate(self._machine.log_dirs):
            place = into / f"node-{self.id}-{number}"
            place.mkdir(parents=True)
            self._host.fetch(folder, place)
            found.append(place)
        return tuple(found)

    @property
    def faulty_disk(self) -> None:
        """None: the disks are its owner's."""
        return None

    @property
    def small_disk(self) -> None:
        """None: the disks are its owner's."""
        return None

    def start(self) -> None:
        """Runs the owner's command that starts it, and returns before it answers."""
        if self.is_alive():
            raise HostTrouble(f"{self.name} is already running")
        self._command(self._machine.start)

    def stop(self) -> None:
        """Runs the owner's command that stops it, and waits for its end. HostTrouble, after a SIGKILL, when that takes
        too long: a node that was started here must not stay, and one without a quorum may wait for it forever."""
        if not self.is_alive():
            return
        if self.is_paused():
            self.resume()
        self._command(self._machine.stop)
        try:
            self._wait_for_end("its stop command")
        except HostTrouble:
            self.kill()
            raise

    def kill(self) -> None:
        """SIGKILL, waited for."""
        if (pid := self._find_pid()) is not None:
            self._host.send_signal(pid, signal.SIGKILL)
            self._wait_for_end("SIGKILL")

    def pause(self) -> None:
        """SIGSTOP, verified."""
        signal_and_verify(self._host, self._pid(), signal.SIGSTOP, ProcessState.STOPPED, _STATE_TIMEOUT_S)

    def resume(self) -> None:
        """SIGCONT, verified."""
        signal_and_verify(self._host, self._pid(), signal.SIGCONT, ProcessState.RUNNING, _STATE_TIMEOUT_S)

    def is_alive(self) -> bool:
        """Whether its process exists; a paused one does."""
        return self._find_pid() is not None

    def is_paused(self) -> bool:
        """Whether its process is stopped by a signal."""
        pid = self._find_pid()
        return pid is not None and self._host.state_of(pid) is ProcessState.STOPPED

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
        """Its log file, the end of it when it is long; what went wrong, where it cannot be read."""
        if self._machine.log is None:
            return "(the file of machines has no setting log)"
        result = self._host.run(["tail", "-c", str(_MOST_LOG), self._machine.log])
        return result.output if result.status == 0 else f"({result.errors.strip()})"

    def _command(self, text: str) -> None:
        result = self._host.run(["sh", "-c", text], _COMMAND_TIMEOUT_S)
        if result.status:
            said = (result.errors or result.output).strip() or "no output"
            raise HostTrouble(f"{self.name}: {text}: status {result.status}: {said}")

    def _wait_for_end(self, after: str) -> None:
        wait_until(lambda: not self.is_alive(), _EXIT_TIMEOUT_S, f"{self.name} is still running after {after}", 0.05)

    def _find_pid(self) -> int | None:
        found = self._host.run(["pgrep", "-o", "-f", self._machine.process])
        if found.status > 1:
            raise HostTrouble(f"{self.name}: pgrep -f {shlex.quote(self._machine.process)}: {found.errors.strip()}")
        return int(found.output) if found.status == 0 else None

    def _pid(self) -> int:
        if (pid := self._find_pid()) is None:
            raise HostTrouble(f"{self.name}: no process matches {self._machine.process!r} (pgrep -f)")
        return pid
