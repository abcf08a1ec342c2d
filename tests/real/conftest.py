"""Kafka's jars and tools, and either broker run by hand on one and the same server.properties."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.hosts.host import HostTrouble
from harness.hosts.plain import LocalProcess
from harness.pytest_plugin.lacking import skip_for
from harness.targets import broker_properties, jars
from harness.targets.ports import free_ports
from harness.targets.readiness import wait_until_ready
from harness.targets.target import resolve
from reference_broker.releases import RELEASES

VERSION = "4.3.1"
ROOT = Path(__file__).resolve().parents[2]
CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg"
_QUICK = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_TOOL_TIMEOUT_S = 120


class Kafka:
    """Kafka's jars: its broker and its tools, each by its main class."""

    def __init__(self, libs: Path) -> None:
        self.libs = libs

    def command(self, main_class: str, *arguments: object) -> list[str]:
        """The command line of a main class."""
        return ["java", *_QUICK, "-cp", f"{self.libs}/*", main_class, *map(str, arguments)]

    def run(self, main_class: str, *arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a tool to its end."""
        command = self.command(main_class, *arguments)
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=_TOOL_TIMEOUT_S, check=False)

    def say(self, main_class: str, *arguments: object) -> str:
        """What a tool that succeeds prints."""
        done = self.run(main_class, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def kafka() -> Kafka:
    """Kafka 4.3.1, from the cache of jars or fetched into it."""
    if (lack := resolve(f"kafka@{VERSION}").lack()) is not None:
        skip_for(lack)
    return Kafka(jars.fetch(VERSION))


@pytest.fixture(scope="session")
def kafka_of(kafka: Kafka) -> Callable[[str], Kafka]:
    """Kafka of a profile's release: `kafka_of("4.0")`."""
    return lambda profile: kafka if profile == "4.3" else Kafka(jars.fetch(RELEASES[profile].name))


class Folder:
    """A formatted folder with its server.properties, on which either broker may run, one after the other."""

    def __init__(self, path: Path, kafka: Kafka, *, profile: str = "4.3", **settings: str) -> None:
        """`profile` is the reference's; `kafka` should be of the same release."""
        self.path = path
        self._profile = ["--profile", profile]
        self.kafka = kafka
        self.port, controller_port = free_ports(2)
        self.data = path / "data"
        self.properties = path / "server.properties"
        found = broker_properties.for_one_node(
            node_id=1, port=self.port, controller_port=controller_port, log_dir=self.data, overrides=settings
        )
        self.properties.write_text(broker_properties.text_of(found), encoding="utf-8")
        self.log = path / "node.log"
        self._process: LocalProcess | None = None

    @property
    def bootstrap(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.port}"

    def format(self, who: str) -> None:
        """Formats it with one broker's tool."""
        arguments = ["format", "-t", CLUSTER_ID, "-c", str(self.properties)]
        command = self.kafka.command("kafka.tools.StorageTool", *arguments)
        if who == "reference":
            command = [sys.executable, "-m", "reference_broker", "storage", *arguments, *self._profile]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run(
            command,
            cwd=self.path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_TOOL_TIMEOUT_S,
            check=True,
        )

    def start(self, who: str) -> None:
        """Runs one of the brokers on it, until it serves."""
        command = self.kafka.command("kafka.Kafka", self.properties)
        command.insert(1, f"-Djava.io.tmpdir={self.path}")  # native libraries, which a killed JVM leaves behind
        if who == "reference":
            command = [sys.executable, "-m", "reference_broker", "start", str(self.properties), *self._profile]
        self._process = LocalProcess(
            command, folder=self.path, log=self.log, environment={"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        )
        self._process.start()
        process = self._process
        wait_until_ready(
            ("127.0.0.1", self.port),
            broker_id=1,
            name=who,
            timeout_s=60,
            is_alive=lambda: process.is_alive,
            log_text=lambda: self.log.read_text(errors="replace"),
        )

    def end(self, how: str) -> None:
        """Ends the broker: "stop" cleanly, or "kill"."""
        if self._process is None:
            return
        if how == "stop":
            self._process.stop(30)
        self._process.kill()


@pytest.fixture(scope="module")
def new_folder(
    kafka_of: Callable[[str], Kafka], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Folder]]:
    """Makes folders; what runs on them at the end is killed."""
    made: list[Folder] = []

    def make(profile: str = "4.3", **settings: Any) -> Folder:
        made.append(Folder(tmp_path_factory.mktemp("node"), kafka_of(profile), profile=profile, **settings))
        return made[-1]

    yield make
    for folder in made:
        try:
            folder.end("kill")
        except HostTrouble as trouble:
            print(f"{folder.path}: {trouble}", file=sys.stderr)
