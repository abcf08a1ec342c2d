"""The identity of a process, stored with what it made, so that the remains of a crashed run can be found later.

A process id is reused; together with boot, process namespace and start time it identifies one process forever.
"""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness.hosts.host import ProcessState, state_in_stat

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_START_FIELD = 19
"""Start time in clock ticks since boot, counted from the field behind the command's name (proc(5): field 22)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessIdentity:
    """One process, on one boot of one machine."""

    boot: str
    namespace: str
    """The namespace in which the process id counts; empty where there are none."""
    pid: int
    started: str

    def text(self) -> str:
        """One line that `parse` reads back."""
        return "|".join((self.boot, self.namespace, str(self.pid), self.started))


def parse(text: str) -> ProcessIdentity | None:
    """The identity in a line; None when it is not one."""
    parts = text.strip().split("|")
    if len(parts) != 4 or not parts[2].isdigit():
        return None
    return ProcessIdentity(boot=parts[0], namespace=parts[1], pid=int(parts[2]), started=parts[3])


def identity_of(pid: int) -> ProcessIdentity | None:
    """Who a process is; None when it does not run."""
    started = _start_of(pid)
    if started is None:
        return None
    return ProcessIdentity(boot=_boot(), namespace=_namespace(), pid=pid, started=started)


def own_identity() -> ProcessIdentity:
    """Who we are."""
    own = identity_of(os.getpid())
    assert own is not None, "a process that asks runs"
    return own


def is_dead(identity: ProcessIdentity, *, is_of_this_machine: bool) -> bool:
    """Whether the process has certainly ended. False when it cannot be told, as from inside another container.

    Something found on this machine's disk or daemon is of this machine, so another boot means an end; something found
    on a shared daemon may be of a machine that runs.
    """
    if identity.boot != _boot():
        return is_of_this_machine
    return identity.namespace == _namespace() and identity_of(identity.pid) != identity


def _boot() -> str:
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return platform.node()


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _start_of(pid: int) -> str | None:
    if os.path.isdir("/proc/self"):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        is_gone = state_in_stat(stat) is ProcessState.GONE
        return None if is_gone else stat.rpartition(")")[2].split()[_START_FIELD]
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout
    return " ".join(said.split()) or None
