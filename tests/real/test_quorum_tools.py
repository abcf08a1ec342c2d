"""Kafka's own tools work on a quorum of ours as on Apache Kafka's: voters are added, removed and described, and
kraft.version is raised. Each test runs on both, so that what the tools print is known to be what Kafka makes them
print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.hosts.plain import LocalProcess
from harness.targets.ports import free_ports
from harness.targets.readiness import wait_until_ready

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg"
QUORUM = "org.apache.kafka.tools.MetadataQuorumCommand"
FEATURES = "org.apache.kafka.tools.FeatureCommand"
SHELL = "org.apache.kafka.shell.MetadataShell"
FIRST, SECOND = 1, 2
WITHIN_S = 120
COMMON = """
node.id={node}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
"""


class Pair:
    """Node 1 is a broker and the first controller, node 2 a second controller."""

    def __init__(self, folder: Path, kafka: Any, who: str) -> None:
        self._folder, self._kafka, self._who = folder, kafka, who
        self.client_port, *controllers = free_ports(3)
        self.controllers = dict(zip((FIRST, SECOND), controllers, strict=True))
        self._processes: dict[int, LocalProcess] = {}

    def properties(self, node: int) -> Path:
        """A node's server.properties."""
        return self._folder / f"{node}.properties"

    def data(self, node: int) -> Path:
        """A node's folder."""
        return self._folder / f"data{node}"

    def format(self, node: int, quorum: str, *options: str, extra: str = "") -> None:
        """Writes a node's settings and formats its folder; `quorum` says where the controllers are."""
        controller = f"CONTROLLER://127.0.0.1:{self.controllers[node]}"
        text = COMMON.format(node=node, data=self.data(node)) + f"{quorum}\n{extra}\n"
        if node == FIRST:
            clients = f"PLAINTEXT://127.0.0.1:{self.client_port}"
            text += f"process.roles=broker,controller\nlisteners={clients},{controller}\n"
            text += f"advertised.listeners={clients},{controller}\n"
        else:
            text += f"process.roles=controller\nlisteners={controller}\n"
        self.properties(node).write_text(text, encoding="utf-8")
        arguments = ["format", "-t", CLUSTER_ID, "-c", str(self.properties(node)), *options]
        command = self._kafka.command("kafka.tools.StorageTool", *arguments)
        if self._who == "reference":
            command = [sys.executable, "-m", "reference_broker", "storage", *arguments]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run(command, cwd=self._folder, env=environment, capture_output=True, timeout=120, check=True)

    def start(self, node: int) -> None:
        """Starts a node; the first one serves then."""
        command = self._kafka.command("kafka.Kafka", self.properties(node))
        if self._who == "reference":
            command = [sys.executable, "-m", "reference_broker", "start", str(self.properties(node))]
        log = self._folder / f"{node}.log"
        environment = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        process = LocalProcess(command, folder=self._folder, log=log, environment=environment)
        process.start()
        self._processes[node] = process
        if node == FIRST:
            wait_until_ready(
                ("127.0.0.1", self.client_port),
                broker_id=FIRST,
                name=self._who,
                timeout_s=WITHIN_S,
                is_alive=lambda: process.is_alive,
                log_text=lambda: log.read_text(errors="replace"),
            )

    def stop(self) -> None:
        """Stops all nodes, the broker first: to leave it needs a controller."""
        for node in sorted(self._processes):
            process = self._processes.pop(node)
            try:
                process.stop(60)
            finally:
                process.kill()

    def tool(self, main_class: str, *arguments: object) -> str:
        """What a tool prints that asks the broker and succeeds."""
        told: str = self._kafka.say(main_class, "--bootstrap-server", f"127.0.0.1:{self.client_port}", *arguments)
        return told

    def until(self, is_so: Callable[[str], object], *arguments: object) -> str:
        """What kafka-metadata-quorum prints, once it is so."""
        deadline = time.monotonic() + WITHIN_S
        while not is_so(told := self.tool(QUORUM, *arguments)):
            assert time.monotonic() < deadline, told
        return told

    def directory_id(self, node: int) -> str:
        """The id of a node's folder."""
        text = (self.data(node) / "meta.properties").read_text(encoding="utf-8")
        (found,) = re.findall(r"^directory\.id=(.+)$", text, re.M)
        return str(found)

    @property
    def servers(self) -> str:
        """The setting that says where the controllers of a dynamic quorum are."""
        addresses = ",".join(f"127.0.0.1:{port}" for port in self.controllers.values())
        return f"controller.quorum.bootstrap.servers={addresses}"


@pytest.fixture(params=["reference", "kafka"])
def pair(request: pytest.FixtureRequest, kafka: Any, tmp_path: Path) -> Iterator[Pair]:
    """Not formatted yet; stopped at the end."""
    made = Pair(tmp_path, kafka, request.param)
    yield made
    made.stop()


def roles(told: str) -> dict[int, tuple[str, str]]:
    """Node → (directory id, role) in what `describe --replication` printed."""
    rows = [line.split() for line in told.splitlines()[1:] if line.strip()]
    return {int(row[0]): (row[1], row[-1]) for row in rows}


def test_controllers_are_added_and_removed(pair: Pair) -> None:
    pair.format(FIRST, pair.servers, "--standalone")
    pair.format(SECOND, pair.servers, "--no-initial-controllers")
    pair.start(FIRST)
    pair.start(SECOND)
    first, second = pair.directory_id(FIRST), pair.directory_id(SECOND)

    told = pair.until(lambda told: SECOND in roles(told), "describe", "--replication")
    assert roles(told) == {FIRST: (first, "Leader"), SECOND: (second, "Observer")}

    added = pair.tool(QUORUM, "--command-config", pair.properties(SECOND), "add-controller")
    assert f"Added controller {SECOND} with directory id {second}" in added
    told = pair.until(lambda told: roles(told)[SECOND][1] == "Follower", "describe", "--replication")
    status = pair.tool(QUORUM, "describe", "--status")
    voters = re.search(r"CurrentVoters:\s+(\[.*\])", status)
    assert voters is not None
    assert [f'"directoryId": "{one}"' in voters[1] for one in (first, second)] == [True, True], status
    assert f"CONTROLLER://127.0.0.1:{pair.controllers[SECOND]}" in voters[1]

    leaving = ("--controller-id", SECOND, "--controller-directory-id", second)
    removed = pair.tool(QUORUM, "remove-controller", *leaving)
    assert f"KRaft controller {SECOND} with directory id {second}" in removed
    told = pair.until(lambda told: roles(told)[SECOND][1] == "Observer", "describe", "--replication")
    assert roles(told)[FIRST][1] == "Leader"


def test_a_controller_joins_by_itself(pair: Pair) -> None:
    pair.format(FIRST, pair.servers, "--standalone")
    pair.format(SECOND, pair.servers, "--no-initial-controllers", extra="controller.quorum.auto.join.enable=true")
    pair.start(FIRST)
    pair.start(SECOND)

    told = pair.until(lambda told: roles(told).get(SECOND, ("", ""))[1] == "Follower", "describe", "--replication")
    assert roles(told)[SECOND][0] == pair.directory_id(SECOND)


def test_fixed_voters_become_changeable(pair: Pair) -> None:
    voters = ",".join(f"{node}@127.0.0.1:{port}" for node, port in pair.controllers.items())
    for node in pair.controllers:
        pair.format(node, f"controller.quorum.voters={voters}")
    pair.start(SECOND)
    pair.start(FIRST)
    assert re.search(r"kraft\.version.*FinalizedVersionLevel: 0", pair.tool(FEATURES, "describe"))

    deadline = time.monotonic() + WITHIN_S
    while True:
        try:
            told = pair.tool(FEATURES, "upgrade", "--feature", "kraft.version=1")
            break
        except AssertionError:
            # A voter may not have told yet what it supports.
            if time.monotonic() > deadline:
                raise
    assert "kraft.version was upgraded to 1." in told
    assert re.search(r"kraft\.version.*FinalizedVersionLevel: 1", pair.tool(FEATURES, "describe"))
    described = roles(pair.tool(QUORUM, "describe", "--replication"))
    assert {node: one[0] for node, one in described.items()} == {
        node: pair.directory_id(node) for node in pair.controllers
    }
    with pytest.raises(AssertionError) as refused:
        pair.tool(FEATURES, "downgrade", "--feature", "kraft.version=0")
    assert "Can't downgrade the version of this feature." in str(refused.value)
