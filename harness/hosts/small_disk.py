"""A small disk of a node's own, which can be filled or taken away without harm to anyone else: a tmpfs, mounted here.

Mounting needs root (CAP_SYS_ADMIN). What is mounted below a folder is found in /proc/self/mountinfo (proc(5)), so that
a folder which a killed run has left can be cleared as well.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import subprocess
from pathlib import Path

from harness.hosts.host import HostTrouble
from harness.hosts.lack import Lack, Means

_CAP_SYS_ADMIN = 21
FOLDER = "small-disk/data"
"""A node's log folder on its small disk, relative to where it runs: an entry of log.dirs."""
_FILLER = "filler"
_AWAY = "away"
"""Where the node's folder is while it is taken away."""
_CHUNK = 256 * 1024
_SMALLEST = 512
_COMMAND_TIMEOUT_S = 20.0


def lack() -> Lack | None:
    """Why no small disk can be mounted here; None when one can."""
    if shutil.which("mount") is None or shutil.which("umount") is None:
        return Lack(Means.TOOL, "a small disk is a tmpfs, and the command `mount` is not installed")
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return Lack(Means.KERNEL, "a small disk is a tmpfs, which only Linux has")
    found = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    if found is None or not int(found.group(1), 16) >> _CAP_SYS_ADMIN & 1:
        return Lack(Means.ROOT, "mounting a small disk needs root")
    return None


class SmallDisk:
    """A disk of a few megabytes at a path. Its filler stands beside what the node keeps there, in `data`."""

    def __init__(self, path: Path, size_mb: int) -> None:
        self.path = path
        self.size_mb = size_mb

    @property
    def data_dir(self) -> Path:
        """The node's folder on it."""
        return self.path / FOLDER.rpartition("/")[2]

    @property
    def is_filled(self) -> bool:
        """Whether it was filled and not cleared since."""
        return (self.path / _FILLER).exists()

    def mount(self) -> None:
        """Mounts it, empty. HostTrouble when that is not allowed."""
        self.path.mkdir()
        _run("mount", "-t", "tmpfs", "-o", f"size={self.size_mb}m,nosuid,nodev", "small-disk", str(self.path))

    def fill(self) -> int:
        """Writes until there is no room left, and gives how much was free (bytes). HostTrouble when some stays."""
        written, size = 0, _CHUNK
        with (self.path / _FILLER).open("ab", buffering=0) as filler:
            while size >= _SMALLEST:
                try:
                    written += filler.write(bytes(size))
                except OSError as full:
                    if full.errno != errno.ENOSPC:
                        raise HostTrouble(f"{self.path} cannot be filled: {full}") from full
                    size //= 2
        if os.statvfs(self.path).f_bavail:
            raise HostTrouble(f"{self.path} still has free space after {written} bytes")
        return written

    def make_room(self) -> None:
        """Removes the filler; nothing happens where there is none. HostTrouble when that makes no room."""
        with contextlib.suppress(FileNotFoundError):
            (self.path / _FILLER).unlink()
            if not os.statvfs(self.path).f_bavail:
                raise HostTrouble(f"{self.path} is still full")

    @property
    def is_away(self) -> bool:
        """Whether the node's folder was taken away and not brought back since."""
        return (self.path / _AWAY).exists()

    def take_away(self) -> None:
        """Moves the node's folder, with all that is in it, and puts an empty file in its place. HostTrouble.

        What is open there stays so; nothing can be opened there, as when the disk was unmounted.
        """
        try:
            self.data_dir.rename(self.path / _AWAY)
            self.data_dir.touch(exist_ok=False)
        except OSError as trouble:
            raise HostTrouble(f"{self.data_dir} cannot be taken away: {trouble}") from trouble

    def bring_back(self) -> None:
        """Undoes `take_away`; nothing happens where it was not done. HostTrouble when that fails."""
        if not self.is_away:
            return
        try:
            self.data_dir.unlink(missing_ok=True)
            (self.path / _AWAY).rename(self.data_dir)
        except OSError as trouble:
            raise HostTrouble(f"{self.data_dir} cannot be brought back: {trouble}") from trouble


def mounted_below(folder: Path, table: str | None = None) -> list[Path]:
    """Where something is mounted below a folder, the deepest first. `table` is the text of /proc/self/mountinfo."""
    if table is None:
        try:
            table = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return []
    points = [Path(_unescaped(line.split()[4])) for line in table.splitlines()]
    return sorted((one for one in points if folder in one.parents), key=lambda one: -len(one.parts))


def unmount_below(folder: Path) -> None:
    """Unmounts all below a folder of ours, even what is in use, and looks that it is gone; else HostTrouble."""
    for point in mounted_below(folder):
        unmount(point)
    if left := mounted_below(folder):
        raise HostTrouble(f"still mounted: {', '.join(map(str, left))}")


def unmount(point: Path) -> None:
    """Unmounts what is mounted at a path, even if it is in use. HostTrouble when it cannot be."""
    try:
        _run("umount", str(point))
    except HostTrouble:
        _run("umount", "-l", str(point))


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), text)


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_COMMAND_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as trouble:
        raise HostTrouble(f"{command[0]}: {trouble}") from trouble
    if done.returncode:
        raise HostTrouble(f"{' '.join(command)}: {done.stderr.strip() or f'status {done.returncode}'}")
