"""Acknowledged changes of topics reach every node, and survive a controller's death and a rolling restart.

**Claim** Within a time limit after the creation of a topic, the change of a setting or the deletion of a topic was
acknowledged, every node reports it. If the active controller is killed, or all nodes are restarted in turn, while such
changes continue, all nodes afterwards report the same state of each topic: the last acknowledged one, or that of a
later change whose answer was lost. Changes are acknowledged again after the fault.

**Why it matters** Applications rely on being told that a topic exists, or that records are kept for a year.

**Kafka says** KIP-500 and KIP-631 (an operation is answered when its records are committed); KIP-595.

**Cannot see** when exactly, between its request and its answer, a change took effect; concurrent changes of one topic
by two clients; quotas, ACLs and features.

**Rejects** tests/plants/clusters/test_changes_checks.py::test_a_check_rejects_the_bug
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from random import Random

import pytest

from harness.clients.node_admin import NodeAdmin
from harness.clients.node_client import TROUBLE, until
from harness.clients.stepped import node_admin as stepped
from harness.hosts.executor import Task, current
from harness.judging.outcome import BrokenPromise, Unproven, require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.targets.node_plan import Role
from harness.targets.target import Cluster, Node
from nemesis import controller, kill, roll
from nemesis.fault import Fault
from nemesis.restore import restore
from reference_broker.wire.errors import ErrorCode

pytestmark = [
    pytest.mark.cluster(nodes=3),
    pytest.mark.feature("KRaft"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(500, 631, 595),
]
SEEN_WITHIN_S = 10.0
"""Time for a node to learn of a change if there is no fault."""
AGREE_WITHIN_S = 30.0
LAST_WITHIN_S = 60.0
ASKED_FOR_S = 40.0
"""How long an operator waits for an answer. A broker forwards a request to one controller after another for 30 s
(controller.socket.timeout.ms); if the operator gave up earlier, the change could take effect after a later one."""
PAUSE_S = 0.2
TOPICS = 4
GONE = "no such topic"
SETTING = "retention.ms"


@dataclass(slots=True)
class Register:
    """A topic that one operator changes. Its state is GONE, or the value of its only setting."""

    topic: str
    possible: list[str] = field(default_factory=lambda: [GONE])
    """The last acknowledged state, and those of later changes whose answer was lost."""
    acknowledged: int = 0
    lost: int = 0
    broken: str = ""
    """An error that contradicts the acknowledged state, if there was one."""

    async def change(self, node: Node, wanted: str) -> None:
        """Requests a change from a node, and notes the outcome."""
        is_there = self.possible[0] != GONE
        try:
            client = await stepped.NodeAdmin.to(current(), node.address, timeout_s=ASKED_FOR_S)
            with closing(client):
                if wanted == GONE:
                    error = await client.delete_topic(self.topic)
                elif is_there:
                    error = await client.set_config(self.topic, {SETTING: wanted})
                else:
                    error = await client.create_topic(self.topic, 1, 3, {SETTING: wanted})
        except TROUBLE:
            self.lost += 1
            self.possible.append(wanted)
            return
        if error is ErrorCode.NONE:
            self.acknowledged += 1
            self.possible = [wanted]
        elif error in (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.TOPIC_ALREADY_EXISTS):
            self.settle(error)
        else:  # REQUEST_TIMED_OUT, NOT_CONTROLLER: the change may have been made
            self.lost += 1
            self.possible.append(wanted)

    def settle(self, error: ErrorCode) -> None:
        """Keeps the possible states that agree with a refusal; if none does, an acknowledged change was lost."""
        is_gone = error is ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        left = [state for state in self.possible if (state == GONE) is is_gone]
        if not left:
            self.broken = f"{self.topic} is refused with {error.name}, and acknowledged was: {self.possible[0]}"
        self.possible = left or self.possible


class Operator:
    """Changes topics one after another in a task of its own, from `start` to `end`."""

    def __init__(self, cluster: Cluster, registers: Sequence[Register]) -> None:
        self._nodes = brokers_of(cluster)
        self._registers = registers
        self._ends = current().signal()
        self._task: Task | None = None
        self.turns = 0

    def start(self) -> None:
        """Creates, changes twice and deletes each topic in turn, each time through another node."""
        self._task = current().start("operator", self._run)

    async def _run(self) -> None:
        while not await self._ends.wait(PAUSE_S):
            await self.turn()

    async def turn(self) -> None:
        """Makes one change."""
        register = self._registers[self.turns % len(self._registers)]
        at = self.turns // len(self._registers)
        await register.change(
            self._nodes[self.turns % len(self._nodes)], GONE if at % 4 == 3 else str(1_000_000 + self.turns)
        )
        self.turns += 1

    def end(self) -> None:
        """Waits until the change in progress was answered or given up."""
        self._ends.set()
        if self._task is not None:
            self._task.join(2 * ASKED_FOR_S)


def brokers_of(cluster: Cluster) -> list[Node]:
    return [node for node in cluster.nodes if Role.BROKER in node.roles]


def told_by(node: Node, topic: str) -> str:
    """The state of a topic, as a node reports it."""
    with NodeAdmin(node.address, timeout_s=ASKED_FOR_S) as client:
        own = client.own_config(topic)
    return GONE if own is None else own.get(SETTING, "default")


@pytest.mark.claim("M7")
def test_a_change_reaches_every_node(cluster: Cluster, names: Names) -> None:
    """A topic is created, changed and deleted, each through another node; every node reports each change."""
    register = Register(names.topic("orders"))
    nodes = brokers_of(cluster)
    for number, wanted in enumerate(["1000000", "2000000", GONE]):
        current().run(register.change(nodes[number % len(nodes)], wanted))
        require(register.possible, [wanted], "what is acknowledged")
        for node in nodes:
            until(
                has(node, register.topic, wanted),
                SEEN_WITHIN_S,
                f"node {node.id} tells the acknowledged state of {register.topic}, {wanted}",
            )


def has(node: Node, topic: str, wanted: str) -> Callable[[], bool]:
    return lambda: told_by(node, topic) == wanted


@pytest.mark.claim("M7", "L2")
@pytest.mark.parametrize("fault", [kill(controller), pytest.param(roll(), marks=pytest.mark.long)], ids=str)
def test_acknowledged_changes_stay(
    cluster: Cluster, names: Names, record: CheckRecord, chance: Random, fault: Fault
) -> None:
    registers = [Register(names.topic(f"orders-{number}")) for number in range(TOPICS)]
    operator = Operator(cluster, registers)
    operator.start()
    try:
        until(lambda: all(one.acknowledged for one in registers), LAST_WITHIN_S, "changes are acknowledged")
        with record.step(str(fault)):
            record.faults += 1
            fault.inject(cluster, fault.plan(cluster.view(topics=()), chance))
        during = operator.turns
        until(lambda: operator.turns > during + TOPICS, LAST_WITHIN_S, f"changes are answered after {fault}")
    finally:
        with record.step("heal"):
            fault.heal(cluster)
            fault.verify_healed(cluster)
        operator.end()
        restore(cluster)
    cluster.wait_healthy()
    judge(cluster, registers)
    acknowledged = sum(one.acknowledged for one in registers)
    record.operations += operator.turns
    record.steps.append(f"{acknowledged} of {operator.turns} changes were acknowledged")
    if acknowledged < 2 * TOPICS:
        raise Unproven(f"{acknowledged} of {operator.turns} changes were acknowledged; {2 * TOPICS} are needed")
    require_goes_on(cluster, registers[0])


def judge(cluster: Cluster, registers: Sequence[Register]) -> None:
    """Raises BrokenPromise unless all nodes soon report the same possible state of each topic."""
    nodes = brokers_of(cluster)
    for register in registers:
        if register.broken:
            raise BrokenPromise(f"{register.broken}.", claim="M7")
        told: dict[int, str] = {}

        def agree(register: Register = register, told: dict[int, str] = told) -> bool:
            told.update({node.id: told_by(node, register.topic) for node in nodes})
            return len(set(told.values())) == 1

        until(agree, AGREE_WITHIN_S, f"all nodes tell the same of {register.topic}")
        (state,) = set(told.values())
        if state not in register.possible:
            raise BrokenPromise(
                f"{register.topic} is {state}; acknowledged was {register.possible[0]}, and later changes whose "
                f"answers were lost are {register.possible[1:] or 'none'}.",
                claim="M7",
            )


def require_goes_on(cluster: Cluster, register: Register) -> None:
    """Raises BrokenPromise unless a change is acknowledged after the fault."""
    node = brokers_of(cluster)[0]
    register.possible = [told_by(node, register.topic)]
    before = register.acknowledged
    until(
        lambda: (current().run(register.change(node, "7000000")), register.acknowledged > before)[1],
        LAST_WITHIN_S,
        "changes are acknowledged after the fault",
    )
