"""A faulty disk as the harness holds it: mounted, told what to do, unmounted.

Needs root, /dev/fuse and the Python package pyfuse3 (the extra `fuse`; it is built with libfuse3's headers).
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

from harness.hosts import small_disk
from harness.hosts.faulty_disk.stored import Loss
from harness.hosts.host import HostTrouble
from harness.hosts.lack import Lack, Means
from harness.hosts.small_disk import unmount

_DEVICE = Path("/dev/fuse")
_ANSWER_S = 30.0
_END_S = 5.0
_SOURCES = Path(__file__).resolve().parents[3]


def lack() -> Lack | None:
    """Why no faulty disk can be mounted here; None when one can."""
    if not _DEVICE.exists():
        return Lack(Means.FUSE, f"a faulty disk is a FUSE file system, and there is no {_DEVICE}")
    if find_spec("pyfuse3") is None:
        why = "the Python package pyfuse3 is not installed: pip install -e '.[fuse]' in the checkout"
        return Lack(Means.FUSE, f"a faulty disk is a FUSE file system, and {why}; it needs libfuse3-dev and pkg-config")
    found = small_disk.lack()
    return None if found is None else Lack(found.means, "mounting a faulty disk needs root and the command `umount`")


class FaultyDisk:
    """A disk mounted at a path, served by a process of its own. May be used from any thread."""

    def __init__(self, path: Path, log: Path) -> None:
        """`log` gets what its process complains of."""
        self.path, self._log = path, log
        self.is_troubled = False
        """Whether it was told to fail, fill up, refuse changes or be slow, and not mended since."""
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process that serves it; None before the mount."""
        return None if self._process is None else self._process.pid

    def mount(self, beside: Path) -> None:
        """Mounts it, empty; its bytes are kept in unnamed files of a folder. HostTrouble when it cannot be."""
        self.path.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "harness.hosts.faulty_disk", str(self.path), str(beside)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=_SOURCES,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        with self._lock:
            self._answer("mounting it")

    def unmount(self) -> None:
        """Ends its process, which unmounts it; all that is on it goes. Nothing happens when it is not mounted."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(HostTrouble):  # it is unmounted already
            unmount(self.path)
        assert process.stdin is not None, "it is a pipe"
        assert process.stdout is not None, "it is a pipe"
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def lose_power(self, loss: Loss, chance: Random) -> dict[str, int]:
        """Loses what was not flushed, or a part of it, drawn by chance: how many bytes, of how many files, and how many
        changes of folders. The node on it has been killed before; whatever is open there is so no more."""
        return self.ask(do="lose power", loss=loss.value, seed=str(chance.getrandbits(64)))

    def flush_all(self) -> None:
        """Makes all that was written durable."""
        self.ask(do="flush all")

    def fail(self, operations: Sequence[str], pattern: str = "*", error: str = "EIO") -> None:
        """From now on, operations ("write", "fsync": troubles.py) fail on paths on the disk that match a pattern."""
        self.is_troubled = True
        self.ask(do="fail", operations=list(operations), pattern=pattern, error=error)

    def fill(self) -> None:
        """From now on it has no room for more."""
        self.is_troubled = True
        self.ask(do="fill")

    def protect(self) -> None:
        """From now on it can only be read."""
        self.is_troubled = True
        self.ask(do="protect")

    def slow(self, least_s: float, most_s: float) -> None:
        """From now on a flush takes a time between these."""
        self.is_troubled = True
        self.ask(do="slow", least_s=least_s, most_s=most_s)

    def mend(self) -> None:
        """It works again, quickly; what it holds stays."""
        self.ask(do="mend")
        self.is_troubled = False

    def tell(self) -> dict[str, int]:
        """What a loss of power would take now at most ("bytes", "changes"), how often it was flushed ("flushes"), and
        how many operations have failed since it was mended ("refused")."""
        return self.ask(do="tell")

    def ask(self, **command: Any) -> dict[str, int]:
        """Has its process carry out a command, and returns the answer. HostTrouble when it cannot."""
        with self._lock:
            if self._process is None or self._process.stdin is None:
                raise HostTrouble(f"the disk at {self.path} is not mounted")
            try:
                self._process.stdin.write(json.dumps(command).encode() + b"\n")
                self._process.stdin.flush()
            except OSError as trouble:
                raise HostTrouble(f"the disk at {self.path} cannot be reached: {trouble}") from trouble
            return self._answer(str(command["do"]))

    def _answer(self, what: str) -> dict[str, int]:
        assert self._process is not None, "it is mounted"
        assert self._process.stdout is not None, "it is a pipe"
        ready, _, _ = select.select([self._process.stdout], [], [], _ANSWER_S)
        line = self._process.stdout.readline() if ready else b""
        if not line:
            said = "has ended" if ready else f"gave no answer within {_ANSWER_S:g} s"
            raise HostTrouble(f"the disk at {self.path}: {what}: its process {said}; see {os.fspath(self._log)}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise HostTrouble(f"the disk at {self.path}: {what}: {answer['error']}")
        return answer
