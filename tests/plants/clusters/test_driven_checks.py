"""Checks of replication that drive a workload reject histories that break what their settings promise, and replicas
that differ; under the same settings they accept what is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from checks.durability import test_all_nodes_die, test_replication_factors
from checks.durability.test_replication_factors import Copies
from harness.history.history import History
from harness.history.operations import FaultAct
from harness.judging.evidence.evidence import Evidence
from harness.judging.guarantees import FaultEffects, Guarantees, TopicSettings
from harness.judging.outcome import BrokenPromise
from harness.pytest_plugin.record import witness_of
from harness.workloads.queue import Queue, judge
from harness.workloads.synthetic import Script
from reference_broker.wire.errors import ErrorCode
from tests.plants.clusters import canned_fixtures
from tests.plants.clusters.metadata_records import UNSOUND, log

KILL = FaultAct(kind="kill", nodes=(1,))


def sent(wait_s: float = 0.0, after_s: float = 0.0) -> Script:
    """a and b are acknowledged; then, after a while, a node is killed, and healed; then, after a while, c."""
    script = Script()
    for offset, value in enumerate("ab"):
        script.send(value, offset)
    script.wait(wait_s)
    script.fault(KILL)
    script.wait(1.0)
    script.heal(KILL)
    script.wait(after_s)
    script.send("c", 2)
    return script


def read(script: Script, log: dict[int, str]) -> History:
    script.final_read(log)
    return script.history()


def right() -> History:
    """Everything is there."""
    return read(sent(), {0: "a", 1: "b", 2: "c"})


HISTORIES: Mapping[str, Callable[[], History]] = {
    "a lost tail": lambda: read(sent(), {0: "a", 1: "b"}),
    "a record that is missing": lambda: read(sent(), {0: "a", 2: "c"}),
    "a record that is there twice": lambda: read(sent(), {0: "a", 1: "b", 2: "c", 3: "b"}),
    "another offset": lambda: read(sent(), {0: "a", 2: "b", 3: "c"}),
}
SAYS = {
    "a lost tail": "value c, acknowledged at t-0 offset 2, is not in the final log",
    "a record that is missing": "value b, acknowledged at t-0 offset 1, is not in the final log",
    "a record that is there twice": "value b",
    "another offset": "value b",
}
CHECKS: Mapping[str, tuple[Any, dict[str, Any]]] = {
    "all nodes, flushed": (
        test_all_nodes_die.test_acknowledged_records_survive_the_death_of_all_nodes,
        {"config": test_all_nodes_die.FLUSHED},
    ),
    "all nodes, not flushed": (
        test_all_nodes_die.test_acknowledged_records_survive_the_death_of_all_nodes,
        {"config": test_all_nodes_die.NOT_FLUSHED},
    ),
    "one copy": (test_replication_factors.test_copies_on_three_nodes, {"copies": Copies(1, 1)}),
    "two copies": (test_replication_factors.test_copies_on_three_nodes, {"copies": Copies(2, 1)}),
    "three copies": (test_replication_factors.test_copies_on_three_nodes, {"copies": Copies(3, 3)}),
    "five copies": (test_replication_factors.test_copies_on_five_nodes, {"copies": Copies(5, 3)}),
}
UNCLEAN = test_replication_factors.test_an_in_sync_replica_leads_also_where_unclean_elections_are_allowed
ACKS_1 = test_replication_factors.test_acks_1_loses_around_the_loss_of_a_leader_only


class Given:
    """Stands in for the fixture `drive`: judges a history under the settings that the check asks for."""

    def __init__(self, history: History) -> None:
        self._history = history

    def __call__(
        self,
        queue: Queue,
        *faults: object,
        replicas: int,
        config: Mapping[str, str],
        duration_s: float,
        hold_s: float,
    ) -> Any:
        topic = TopicSettings(
            replicas=replicas,
            min_insync=int(config["min.insync.replicas"]),
            is_unclean=config.get("unclean.leader.election.enable") == "true",
            is_flushed_before_ack=config.get("flush.messages") == "1",
        )
        rules = Guarantees.of(queue.client, topic, FaultEffects(moves_leader=replicas > 1))
        if (broken := witness_of(judge(self._history, rules))) is not None:
            raise broken
        return SimpleNamespace(evidence=Evidence.of(self._history))


def play(monkeypatch: pytest.MonkeyPatch, code: Any, history: History, **more: Any) -> None:
    """Runs a check on a history."""

    equal = more.pop("replicas", lambda *topic: 1)
    logs, error = more.pop("metadata", [log()]), more.pop("error", ErrorCode.NONE)
    produced = SimpleNamespace(produce=lambda *values, **more: SimpleNamespace(error=error))
    monkeypatch.setattr(test_replication_factors, "NodeClient", lambda address: nullcontext(produced))
    monkeypatch.setattr(test_all_nodes_die, "metadata_logs_of", lambda cluster: logs)
    for module in (test_all_nodes_die, test_replication_factors):
        monkeypatch.setattr(module, "require_equal_replicas", equal)
    given = {
        "cluster": SimpleNamespace(
            wait_healthy=lambda: None,
            view=lambda topics: SimpleNamespace(leaders={("t", 0): 1, ("t", 1): 1}),
            nodes=[SimpleNamespace(id=1, address=("10.0.0.1", 9092))],
        ),
        "drive": Given(history),
        "names": canned_fixtures.names("t"),
        "record": SimpleNamespace(measures={}, steps=[]),
        **more,
    }
    wanted = code.__code__.co_varnames[: code.__code__.co_argcount]
    code(**{name: given[name] for name in wanted})


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("history", HISTORIES)
def test_a_check_rejects_the_history(monkeypatch: pytest.MonkeyPatch, check: str, history: str) -> None:
    code, more = CHECKS[check]

    with pytest.raises(BrokenPromise) as raised:
        play(monkeypatch, code, HISTORIES[history](), **more)

    assert SAYS[history] in raised.value.happened


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_accepts_a_right_history(monkeypatch: pytest.MonkeyPatch, check: str) -> None:
    code, more = CHECKS[check]

    play(monkeypatch, code, right(), **more)


@pytest.mark.parametrize("check", [name for name in CHECKS if name != "one copy"])
def test_a_check_rejects_replicas_that_differ(monkeypatch: pytest.MonkeyPatch, check: str) -> None:
    code, more = CHECKS[check]

    def differ(*topic: object) -> int:
        raise BrokenPromise("t-0: nodes 1 and 2 hold different batches.")

    with pytest.raises(BrokenPromise, match="hold different batches"):
        play(monkeypatch, code, right(), replicas=differ, **more)


@pytest.mark.parametrize("check", CHECKS)
def test_a_partition_that_takes_no_writes_is_rejected(monkeypatch: pytest.MonkeyPatch, check: str) -> None:
    code, more = CHECKS[check]

    with pytest.raises(BrokenPromise) as raised:
        play(monkeypatch, code, right(), error=ErrorCode.NOT_ENOUGH_REPLICAS, **more)

    assert "The answer to a write to partition 0 when all nodes are back should be" in raised.value.happened


def test_a_wrong_metadata_log_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    code, more = CHECKS["all nodes, flushed"]
    messages, says = UNSOUND["a partition epoch that falls"]

    with pytest.raises(BrokenPromise) as raised:
        play(monkeypatch, code, right(), metadata=[log(messages)], **more)

    assert says in raised.value.happened


def test_a_loss_where_unclean_elections_are_allowed_and_not_needed_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BrokenPromise) as raised:
        play(monkeypatch, UNCLEAN, HISTORIES["a lost tail"]())

    assert (
        "though an in-sync replica was there to lead: kill node 1: 1 acknowledged record lost" in raised.value.happened
    )
    play(monkeypatch, UNCLEAN, right())


@pytest.mark.parametrize(
    ("wait_s", "after_s", "log", "says"),
    [
        (60.0, 0.0, {0: "a", 2: "c"}, ", from 60,00"),
        (0.0, 90.0, {0: "a", 1: "b"}, ", up to 90,00"),
    ],
    ids=["long before", "long after"],
)
def test_losses_far_from_a_fault_are_rejected(
    monkeypatch: pytest.MonkeyPatch, wait_s: float, after_s: float, log: dict[int, str], says: str
) -> None:
    with pytest.raises(BrokenPromise) as raised:
        play(monkeypatch, ACKS_1, read(sent(wait_s, after_s), log), copies=Copies(3, 1))

    assert says in raised.value.happened


@pytest.mark.parametrize("log", [{0: "a", 1: "b", 2: "c"}, {0: "a", 2: "c"}], ids=["none", "one"])
def test_losses_around_a_fault_are_accepted(monkeypatch: pytest.MonkeyPatch, log: dict[int, str]) -> None:
    play(monkeypatch, ACKS_1, read(sent(1.0, 1.0), log), copies=Copies(3, 1))
