"""A broker as a process, as a user starts it, on free ports and in a folder of the test's own."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

CLUSTER = "4L6g3nShT-eMCtK--X86sw"
TIMEOUT_S = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """`python -m reference_broker …`, run to its end."""
    return subprocess.run(
        [sys.executable, "-m", "reference_broker", *words], capture_output=True, text=True, timeout=TIMEOUT_S
    )


@dataclass
class Broker:
    """One node: its file, its ports, its process."""

    folder: Path
    port: int = field(default_factory=free_port)
    controller_port: int = field(default_factory=free_port)
    more: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    @property
    def file(self) -> Path:
        return self.folder / "server.properties"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def write_file(self, **more: str) -> None:
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "log.dirs": str(self.data),
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "2",
            "group.initial.rebalance.delay.ms": "0",
            **self.more,
            **more,
        }
        self.file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    def format(self, cluster: str = CLUSTER) -> subprocess.CompletedProcess[str]:
        return command("storage", "format", "-t", cluster, "-c", str(self.file))

    def start(self, *options: str) -> None:
        """Start, and wait until it listens and answers."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reference_broker", "start", str(self.file), *options],
            stderr=(self.folder / "log").open("a"),
            text=True,
        )
        deadline = time.monotonic() + TIMEOUT_S
        while " serves " not in self.log():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.01)

    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit status."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(TIMEOUT_S)
