"""The host of a node: runs commands, sends signals, and reads the state of processes there."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from harness.hosts import cluster_time as time


class HostTrouble(Exception):
    """A host did not do what was asked. This is the harness's trouble: the verdict is unknown, not broken."""


class ProcessState(Enum):
    """What Linux says of a process (proc(5), field 3 of /proc/PID/stat), as far as faults care."""

    RUNNING = "running"
    STOPPED = "stopped"
    GONE = "gone"
    """No such process, or a zombie: it runs no more."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """A finished command: its exit status and what it wrote."""

    status: int
    output: str
    errors: str


class Host(Protocol):
    """A machine, container or namespace in which a node's processes run."""

    name: str

    def run(self, command: Sequence[str], timeout_s: float = 30.0) -> CommandResult:
        """Runs a command to its end. HostTrouble when it cannot be run or takes too long."""
        ...

    def send_signal(self, pid: int, number: signal.Signals) -> None:
        """Sends a signal. HostTrouble when the process is gone."""
        ...

    def state_of(self, pid: int) -> ProcessState:
        """The state of a process now."""
        ...


def state_in_stat(stat: str) -> ProcessState:
    """The state in the text of /proc/PID/stat; the command's name, in brackets, may hold anything."""
    letter = stat.rpartition(")")[2].split()[0]
    if letter in ("T", "t"):
        return ProcessState.STOPPED
    return ProcessState.GONE if letter in ("Z", "X", "x") else ProcessState.RUNNING


def wait_until(is_so: Callable[[], bool], timeout_s: float, complaint: str, every_s: float = 0.01) -> None:
    """Waits for a state. HostTrouble with the complaint when it does not come in time."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline:
            raise HostTrouble(f"{complaint} (waited {timeout_s:g} s)")
        time.sleep(every_s)


def signal_and_verify(host: Host, pid: int, number: signal.Signals, wanted: ProcessState, timeout_s: float) -> None:
    """Sends a signal and waits until the process is in the state that it brings about."""
    host.send_signal(pid, number)
    wait_until(
        lambda: host.state_of(pid) is wanted,
        timeout_s,
        f"{host.name}: process {pid} is {host.state_of(pid).value}, not {wanted.value}, after {number.name}",
    )
