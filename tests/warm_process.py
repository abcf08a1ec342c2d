"""A warm process: a Python that has imported what checks and brokers need, and forks a process for each that is wanted.

A plant changes the broker's classes, so each wants a process of its own; but nearly all that a short-lived Python does
is to import. Forked processes are as real as others: they have their own ids, sessions, folders and output, and can be
killed, paused and waited for.

`python -m tests.warm_process SOCKET` is the warm process itself; it ends with the one that started it.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from harness.hosts import plain
from reference_broker.apis.registry import handler_modules

ROOT: Final = Path(__file__).resolve().parents[1]
PLACE: Final = "WARM_PROCESS"
"""Environment variable: where the warm process listens. Needed by those that start brokers in their turn."""
MODULES: Final = ("pytest", "reference_broker", "tests.plants")
"""What can be asked for: `python -m MODULE …` is done by a forked process instead."""
IMPORTED: Final = (
    "allure_pytest.plugin",
    "hypothesis.extra.pytestplugin",
    "pytest_asyncio.plugin",
    "xdist.plugin",
    "harness.clients.aiokafka",
    "harness.clients.confluent",
    "harness.clients.kafka_python",
    "harness.comparing.differences",
    "harness.pytest_plugin.hooks",
    "reference_broker.server.main",
    "reference_broker.storage",
    "reports.summary",
    "tests.plants.__main__",
)
_LONGEST: Final = 1 << 16
"""Bytes of a request; they travel in one piece."""
_READY: Final = b"ready\n"


# -- whoever wants processes --------------------------------------------------------------------------------------


class Forked:
    """A process that the warm one has forked; to be used as one of subprocess.Popen."""

    def __init__(
        self, place: str, command: Sequence[str], *, cwd: Path | str, env: Mapping[str, str], output: int
    ) -> None:
        self.args = list(command)
        self.returncode: int | None = None
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._connection.connect(place)
        wanted = json.dumps({"command": self.args, "cwd": str(cwd), "env": dict(env)}).encode()
        socket.send_fds(self._connection, [wanted], [output])
        self.pid = self._number()

    def poll(self) -> int | None:
        """How it ended; None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """How it ended, once it has. subprocess.TimeoutExpired when that takes longer."""
        if self.returncode is None:
            self._connection.settimeout(timeout)
            try:
                self.returncode = self._number()
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
            self._connection.close()
        return self.returncode

    def terminate(self) -> None:
        """SIGTERM."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def _number(self) -> int:
        said = self._connection.recv(_LONGEST)
        if not said:
            raise ChildProcessError("the warm process has ended")
        return int(said)


def forking(place: str) -> SimpleNamespace:
    """What takes the place of the module `subprocess` in harness.hosts.plain: `python -m MODULE …` is forked by the
    warm process, all other commands are started as ever.
    """

    def start(command: list[str], **options: Any) -> Any:
        is_preloaded = "LD_PRELOAD" in (options.get("env") or {})  # as libfaketime is: into new programs only
        if is_preloaded or command[:2] != [sys.executable, "-m"] or command[2] not in MODULES:
            return subprocess.Popen(command, **options)
        return Forked(place, command, cwd=options["cwd"], env=options["env"], output=options["stdout"].fileno())

    return SimpleNamespace(**{**vars(subprocess), "Popen": start})


@contextlib.contextmanager
def warm_process() -> Iterator[str]:
    """Starts a warm process, and ends it with all that it has forked; the place of its socket."""
    with tempfile.TemporaryDirectory(prefix="warm-") as folder:
        place = f"{folder}/socket"
        command = [sys.executable, "-m", __name__, place]
        # One thread is all that can be forked: numpy's library of linear algebra would start more.
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == _READY, "the warm process did not start"
            try:
                yield place
            finally:
                process.stdin.close()
                process.wait(30)


# -- the warm process itself --------------------------------------------------------------------------------------


def main(place: str) -> None:
    """Forks whom it is asked for until its standard input is closed."""
    for module in IMPORTED:
        import_module(module)
    handler_modules()
    gc.collect()
    gc.freeze()  # shared with all that are forked: never to be looked through again
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(place)
        listener.listen(64)
        print(_READY.decode(), end="", flush=True)
        _Warm(listener).serve()


class _Warm:
    """The loop: requests for processes, and the ends of those that were forked."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._running: dict[int, tuple[int, socket.socket]] = {}
        """pidfd -> (process id, the connection of whoever wanted it)."""
        self._selector.register(listener, selectors.EVENT_READ)
        self._selector.register(sys.stdin, selectors.EVENT_READ)

    def serve(self) -> None:
        """Until standard input is closed; then what runs is killed."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is sys.stdin:
                    for pid, _ in self._running.values():
                        os.kill(pid, signal.SIGKILL)
                        os.waitpid(pid, 0)
                    return
                if key.fileobj is self._listener:
                    self._fork()
                else:
                    self._tell_end(key.fd)

    def _fork(self) -> None:
        connection, _ = self._listener.accept()
        wanted, fds, _, _ = socket.recv_fds(connection, _LONGEST, 1)
        pid = os.fork()
        if pid == 0:
            _become(json.loads(wanted), fds[0])
        os.close(fds[0])
        pidfd = os.pidfd_open(pid)
        self._running[pidfd] = (pid, connection)
        self._selector.register(pidfd, selectors.EVENT_READ)
        connection.sendall(str(pid).encode())

    def _tell_end(self, pidfd: int) -> None:
        pid, connection = self._running.pop(pidfd)
        self._selector.unregister(pidfd)
        os.close(pidfd)
        _, status = os.waitpid(pid, 0)
        with contextlib.suppress(OSError), connection:  # who wanted it may have ended first
            connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def _become(wanted: Mapping[str, Any], output: int) -> None:
    """In the forked process: does what the command does, and ends."""
    status = 1
    try:
        os.setsid()
        os.chdir(wanted["cwd"])
        os.environ.clear()
        os.environ.update(wanted["env"])
        nothing = os.open(os.devnull, os.O_RDONLY)
        for descriptor, source in enumerate((nothing, output, output)):
            os.dup2(source, descriptor)
        os.closerange(3, 1024)
        _, _, module, *arguments = sys.argv = wanted["command"]
        status = _run(module, arguments)
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _run(module: str, arguments: list[str]) -> int:
    if module == "pytest":
        import pytest

        # The brokers of its checks are forked as well.
        plain.subprocess = forking(os.environ[PLACE])  # type: ignore[assignment]
        return int(pytest.main(arguments))
    if module == "tests.plants":
        from tests.plants.__main__ import run

        return run(arguments)
    from reference_broker.__main__ import main as run_broker

    return run_broker(arguments)


if __name__ == "__main__":
    main(sys.argv[1])
