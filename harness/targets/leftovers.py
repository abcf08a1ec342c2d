"""Folders of local nodes, marked with their owner, and the removal of those that a crashed run has left.

A run that ends, even by an exception or an interrupt, removes its own folders. After a run that was killed, the next
run removes them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from harness.hosts.host import HostTrouble, ProcessState, wait_until
from harness.hosts.identity import identity_of, is_dead, own_identity, parse
from harness.hosts.namespaces import Network
from harness.hosts.plain import PlainHost, forget_clock
from harness.hosts.small_disk import unmount_below

_PREFIX = "kafka-verification-"
_OWNER = "owner"
_NODE = ".process"
_NETWORK = "network"
_GONE_TIMEOUT_S = 10.0
MEMORY: Final = Path("/dev/shm")
"""Where Linux keeps files in memory."""
MEMORY_WANTED: Final = 1 << 30
"""Bytes that must be free there: in a container it is often small."""


def new_folder(in_memory: bool = False) -> Path:
    """A new temporary folder, marked with this process as its owner; in memory if that is wanted and possible."""
    parent = MEMORY if in_memory and _has_room(MEMORY) else None
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    (folder / _OWNER).write_text(own_identity().text(), encoding="utf-8")
    return folder


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A new folder that is removed at the end."""
    folder = new_folder()
    try:
        yield folder
    finally:
        remove_folder(folder)


def remove_folder(folder: Path) -> None:
    """Removes a folder of ours, what is mounted in it, and its network. HostTrouble when something stays mounted."""
    unmount_below(folder)
    with contextlib.suppress(OSError, ValueError):  # it has none
        Network.parse((folder / _NETWORK).read_text(encoding="utf-8")).remove()
    shutil.rmtree(folder, ignore_errors=True)


def note_process(folder: Path, pid: int, name: str = "node") -> None:
    """Writes down which process runs on a folder, so that it can be ended when its owner no longer can."""
    identity = identity_of(pid)
    if identity is not None:
        (folder / f"{name}{_NODE}").write_text(identity.text(), encoding="utf-8")


def note_network(folder: Path, network: Network) -> None:
    """Writes down which network a folder's nodes are going to have; it goes with the folder."""
    (folder / _NETWORK).write_text(network.text(), encoding="utf-8")


def sweep_folders(*parents: Path) -> tuple[Path, ...]:
    """Ends the processes and removes the folders whose owner is dead; the removed folders."""
    swept = []
    for parent in parents or (Path(tempfile.gettempdir()), MEMORY):
        for folder in sorted(parent.glob(_PREFIX + "*")):
            if _is_abandoned(folder):
                for noted in sorted(folder.glob(f"*{_NODE}")):
                    _end_node(noted)
                remove_folder(folder)
                swept.append(folder)
    return tuple(swept)


def _has_room(parent: Path) -> bool:
    return os.access(parent, os.W_OK) and shutil.disk_usage(parent).free >= MEMORY_WANTED


def _is_abandoned(folder: Path) -> bool:
    """Whether a folder was made and marked by this user, and its owner is dead; all others are left alone."""
    try:
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            return False
        owner = parse((folder / _OWNER).read_text(encoding="utf-8"))
    except OSError:
        return False
    return owner is not None and is_dead(owner, is_of_this_machine=True)


def _end_node(noted: Path) -> None:
    try:
        node = parse(noted.read_text(encoding="utf-8"))
    except OSError:
        return
    if node is None or identity_of(node.pid) != node:
        return
    host = PlainHost()
    with contextlib.suppress(HostTrouble):  # it ended by itself, or another run's sweep was faster
        host.send_signal(node.pid, signal.SIGKILL)
        gone = ProcessState.GONE
        wait_until(lambda: host.state_of(node.pid) is gone, _GONE_TIMEOUT_S, f"process {node.pid} outlives SIGKILL")
    forget_clock(node.pid)
