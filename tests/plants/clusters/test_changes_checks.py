"""The check of acknowledged changes holds on a cluster that is right, and rejects each of its bugs."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from checks.metadata import test_changes_reach_every_node as check
from checks.metadata.test_changes_reach_every_node import GONE, SETTING, Operator, Register
from harness.hosts.executor import finished
from harness.targets.node_plan import Role
from reference_broker.wire.errors import ErrorCode
from tests.plants.clusters import canned_fixtures
from tests.plants.clusters.rejecting import acceptances, rejections, right, wrong
from tests.plants.clusters.virtual_clock import Clock

TOPIC = "orders"
TURNS = 24

REJECTED = {
    "never tells node 3": "node 3 tells the acknowledged state of orders, 1000000, and that was not so within",
    "refuses what is right": "What is acknowledged should be ['1000000']",
    "loses the last changes": "acknowledged was",
    "leaves node 3 behind": "all nodes tell the same of orders, and that was not so within",
    "forgets a topic": "orders is refused with UNKNOWN_TOPIC_OR_PARTITION, and acknowledged was: ",
    "brings a topic back": "orders is refused with TOPIC_ALREADY_EXISTS, and acknowledged was: no such topic",
    "takes no change any more": "changes are acknowledged after the fault, and that was not so within",
}
"""Bug → what the check says."""


class MemoryCluster:
    """Three nodes that know topics by their one setting (Cluster)."""

    def __init__(self, bug: str) -> None:
        self.bug, self.changes = bug, 0
        self.nodes = tuple(
            SimpleNamespace(id=number, roles=(Role.BROKER,), address=(f"10.0.0.{number}", 9092)) for number in (1, 2, 3)
        )
        self.known: dict[int, dict[str, str]] = {1: {}, 2: {}, 3: {}}
        self.loses_answers = self.is_struck = False

    def view(self, topics: Any = None) -> None:
        """Nobody looks at it."""

    def wait_healthy(self) -> None:
        """It is well at once."""

    def change(self, topic: str, value: str | None) -> ErrorCode:
        """One change, known to all at once."""
        self.changes += 1
        if self.bug == "refuses what is right":
            return ErrorCode.REQUEST_TIMED_OUT
        for node, topics in self.known.items():
            is_behind = self.bug == "never tells node 3" or (self.is_struck and self.bug == "leaves node 3 behind")
            if node != 3 or not is_behind:
                topics.pop(topic, None)
                topics.update({topic: value} if value is not None else {})
        if self.loses_answers and self.changes % 3 == 0:
            raise ConnectionResetError("the controller died")
        return ErrorCode.NONE


class Admin:
    """Changes topics through one node."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self._cluster = cluster

    async def to(self, executor: object, address: object, **more: object) -> Admin:
        return self

    def close(self) -> None:
        """Nothing is open."""

    async def create_topic(self, name: str, partitions: int, replicas: int, config: dict[str, str]) -> ErrorCode:
        if name in self._cluster.known[1]:
            return ErrorCode.TOPIC_ALREADY_EXISTS
        return self._cluster.change(name, config[SETTING])

    async def set_config(self, name: str, settings: dict[str, str]) -> ErrorCode:
        if name not in self._cluster.known[1]:
            return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        return self._cluster.change(name, settings[SETTING])

    async def delete_topic(self, name: str) -> ErrorCode:
        if name not in self._cluster.known[1]:
            return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        return self._cluster.change(name, None)


class Client:
    """Asks one node."""

    def __init__(self, cluster: MemoryCluster, address: tuple[str, int]) -> None:
        self._cluster, self._id = cluster, int(address[0].rpartition(".")[2])

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *ended: object) -> None:
        """Nothing is open."""

    def own_config(self, name: str) -> dict[str, str] | None:
        value = self._cluster.known[self._id].get(name)
        return None if value is None else {SETTING: value}


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """A cluster with a bug, or none, that the check asks."""

    def made(bug: str) -> Any:
        cluster = MemoryCluster(bug)
        monkeypatch.setattr(check, "NodeAdmin", lambda address, **more: Client(cluster, address))
        monkeypatch.setattr(check, "stepped", SimpleNamespace(NodeAdmin=Admin(cluster)))
        monkeypatch.setattr(check, "restore", lambda cluster: None)
        monkeypatch.setattr("harness.clients.node_client.time", Clock())
        return cluster

    return made


@pytest.fixture
def play(on: Callable[[str], Any]) -> Callable[..., None]:
    """Runs both halves of the check on a cluster that has a bug, or none."""
    return lambda bug="": both_halves(on(bug), bug)


def both_halves(cluster: Any, bug: str) -> None:
    """Without a fault, and with one after which the bug shows."""
    names = canned_fixtures.names(TOPIC)
    check.test_a_change_reaches_every_node(cluster, names)
    register = Register(TOPIC)
    operator = Operator(cluster, [register])
    cluster.loses_answers = True
    for _ in range(TURNS):
        finished(operator.turn())
    strike(cluster, register, bug)
    finished(operator.turn())
    check.judge(cluster, [register])
    if bug == "takes no change any more":
        cluster.bug = "refuses what is right"
    check.require_goes_on(cluster, register)


def strike(cluster: MemoryCluster, register: Register, bug: str) -> None:
    """What the bug does when a controller dies."""
    cluster.loses_answers = False
    cluster.is_struck = True
    finished(register.change(cluster.nodes[0], "5000000"))  # type: ignore[arg-type]
    if bug in ("loses the last changes", "forgets a topic"):
        cluster.known = {node: {TOPIC: "1"} if bug == "loses the last changes" else {} for node in cluster.known}
        cluster.change = lambda topic, value: ErrorCode.NONE  # type: ignore[method-assign]
    if bug == "brings a topic back":
        finished(register.change(cluster.nodes[0], GONE))  # type: ignore[arg-type]
        cluster.known = {node: {TOPIC: "1"} for node in cluster.known}


test_a_check_rejects_the_bug = rejections({bug: wrong(says, bug) for bug, says in REJECTED.items()})
test_the_check_holds_on_a_cluster_that_is_right = acceptances({"right": right()})


def test_the_check_with_its_operator_holds_on_a_cluster_that_is_right(
    on: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = on("")
    monkeypatch.setattr(check, "PAUSE_S", 0.0)
    monkeypatch.setattr(check, "until", lambda holds, within_s, promise: _soon(holds))
    fault: Any = SimpleNamespace(
        plan=lambda view, chance: None,
        inject=lambda cluster, act: None,
        heal=lambda cluster: None,
        verify_healed=lambda cluster: None,
    )
    numbers = iter(range(100))
    names: Any = SimpleNamespace(topic=lambda label: f"{label}-{next(numbers)}")
    record = canned_fixtures.record()

    check.test_acknowledged_changes_stay(cluster, names, record, Random(1), fault)


def _soon(holds: Callable[[], bool]) -> float:
    """Waits for a thread, without a bound of its own: the test has one."""
    while not holds():
        pass
    return 0.0
