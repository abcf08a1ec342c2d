"""This machine itself: local processes, each the leader of its own session, none left behind at exit."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.hosts.host import CommandResult, HostTrouble, ProcessState, signal_and_verify, state_in_stat

_STATE_TIMEOUT_S = 10.0
_SHARED_MEMORY = Path("/dev/shm")


class PlainHost:
    """Runs commands and signals processes on this machine (Host)."""

    name = "localhost"

    def run(self, command: Sequence[str], timeout_s: float = 30.0) -> CommandResult:
        """Runs a command to its end. HostTrouble when it cannot be run or takes too long."""
        try:
            done = subprocess.run(list(command), capture_output=True, text=True, timeout=timeout_s, check=False)
        except (OSError, subprocess.TimeoutExpired) as trouble:
            raise HostTrouble(f"{command[0]}: {trouble}") from trouble
        return CommandResult(done.returncode, done.stdout, done.stderr)

    def send_signal(self, pid: int, number: signal.Signals) -> None:
        """Sends a signal. HostTrouble when the process is gone."""
        try:
            os.kill(pid, number)
        except OSError as trouble:
            raise HostTrouble(f"{number.name} to process {pid}: {trouble.strerror}") from trouble

    def state_of(self, pid: int) -> ProcessState:
        """The state of a process now, from /proc, or from ps where there is no /proc."""
        if os.path.isdir("/proc/self"):
            try:
                return state_in_stat(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace"))
            except OSError:
                return ProcessState.GONE
        letter = self.run(["ps", "-o", "state=", "-p", str(pid)]).output.strip()
        return state_in_stat(f"{pid} () {letter}") if letter else ProcessState.GONE


def forget_clock(pid: int) -> None:
    """Removes what libfaketime keeps of a process in memory, where it ran under it: killed, it could not do so."""
    for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
        with contextlib.suppress(OSError):
            (_SHARED_MEMORY / name).unlink(missing_ok=True)


class LocalProcess:
    """A process that we start, and may start again: same command, same folder, its output appended to one log."""

    def __init__(self, command: Sequence[str], *, folder: Path, log: Path, environment: Mapping[str, str]) -> None:
        self.command = list(command)
        self.folder = folder
        self.log = log
        self.environment = dict(environment)
        """Beside this process's own; counts from the next start on."""
        self._host = PlainHost()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.RLock()

    @property
    def pid(self) -> int | None:
        """The id of the process, None when it does not run."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @property
    def is_alive(self) -> bool:
        """Whether it runs; a stopped (paused) process counts as alive."""
        return self.pid is not None

    @property
    def state(self) -> ProcessState:
        """What the system says of it."""
        pid = self.pid
        return ProcessState.GONE if pid is None else self._host.state_of(pid)

    @property
    def exit_status(self) -> int | None:
        """The last exit status, negative for a signal; None while it runs or before the first start."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Starts it and returns at once. HostTrouble when it runs already or cannot be started."""
        with self._lock:
            if self.is_alive:
                raise HostTrouble(f"{self.command[0]} is already running as process {self.pid}")
            try:
                with self.log.open("ab") as log:
                    self._process = subprocess.Popen(
                        self.command,
                        cwd=self.folder,
                        env={**os.environ, **self.environment},
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
            except OSError as trouble:
                raise HostTrouble(f"cannot start {self.command[0]}: {trouble}") from trouble
            _STARTED.add(self)

    def wait(self, timeout_s: float) -> None:
        """Waits for its own end. HostTrouble, after a SIGKILL, when it takes longer than allowed."""
        if self._process is None:
            return
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise HostTrouble(f"{self.command[0]} did not end within {timeout_s:g} s; killed it") from None
        _STARTED.discard(self)

    def stop(self, timeout_s: float) -> None:
        """SIGTERM, and waits for the end. HostTrouble, after a SIGKILL, when it takes longer than allowed."""
        with self._lock:
            if self._process is None or not self.is_alive:
                return
            if self.state is ProcessState.STOPPED:
                self.resume()
            self._process.terminate()
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                pid = self.pid
                self.kill()
                raise HostTrouble(f"process {pid} did not end within {timeout_s:g} s of SIGTERM; killed it") from None
            _STARTED.discard(self)

    def kill(self) -> None:
        """SIGKILL, and waits until it is gone; nothing happens when it does not run."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process.wait()
                forget_clock(self._process.pid)
            _STARTED.discard(self)

    def pause(self) -> None:
        """SIGSTOP, verified."""
        self._signal(signal.SIGSTOP, ProcessState.STOPPED)

    def resume(self) -> None:
        """SIGCONT, verified."""
        self._signal(signal.SIGCONT, ProcessState.RUNNING)

    def send_signal(self, number: signal.Signals) -> None:
        """Sends a signal; nothing happens when it does not run."""
        with self._lock:
            if (pid := self.pid) is not None:
                self._host.send_signal(pid, number)

    def _signal(self, number: signal.Signals, wanted: ProcessState) -> None:
        with self._lock:
            pid = self.pid
            if pid is None:
                raise HostTrouble(f"{number.name}: {Path(self.command[0]).name} does not run")
            signal_and_verify(self._host, pid, number, wanted, _STATE_TIMEOUT_S)


class _StartedProcesses:
    """Processes that must not outlive us: killed, by the handles we hold, when the interpreter ends."""

    def __init__(self) -> None:
        self._processes: list[LocalProcess] = []
        self._lock = threading.Lock()

    def add(self, process: LocalProcess) -> None:
        with self._lock:
            self._processes.append(process)

    def discard(self, process: LocalProcess) -> None:
        with self._lock:
            self._processes = [other for other in self._processes if other is not process]

    def kill_all(self) -> None:
        for process in list(self._processes):
            process.kill()

    def forget_all(self) -> None:
        """In a forked child, which runs atexit handlers too: they are its parent's."""
        self._processes, self._lock = [], threading.Lock()


_STARTED = _StartedProcesses()
atexit.register(_STARTED.kill_all)
os.register_at_fork(after_in_child=_STARTED.forget_all)
