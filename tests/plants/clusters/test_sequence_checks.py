"""Checks of sequences of faults reject runs as a broken cluster would give them, and hold on one as it should be.

The run is replaced by its history: what clients would have seen of a cluster that believes the wrong replicas. All else
is the check's own: its settings, its needs, and the judgement.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.catalogue import Header
from harness.history.history import History
from harness.history.operations import FaultAct
from harness.judging.guarantees import TopicSettings
from harness.judging.outcome import BrokenPromise, Unproven
from harness.pytest_plugin import drive as driving
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.runs.run import Finished
from harness.workloads.synthetic import Script
from nemesis.sequences import FaultSequence, lone_leader, lone_leader_with_clients, part_kill, pause_kill
from tests.plants.clusters.cluster_in_memory import MemoryCluster

CHECKS = "checks.durability.test_sequences_of_faults"
RETURNS = "test_a_majority_of_those_that_were_away_undoes_no_acknowledgement"
ALONE = "test_what_a_leader_acknowledged_before_it_was_alone_stays"
ROLLS = "test_records_stay_while_the_controller_moves_with_every_restart"
ACTS = {
    RETURNS: [("pause", (2,)), ("kill", (1,)), ("partition", (1, 2))],
    ALONE: [("partition", (1,))],
    ROLLS: [("roll", (1, 2, 3))],
}
"""What the nemesis does in a check."""


def history(acts: list[tuple[str, tuple[int, ...]]], at_the_end: Mapping[int, str]) -> History:
    """Records acknowledged at 0, 1, 2, before, under and after the faults; and what is read in the end."""
    script = Script()
    script.send("a", 0)
    begun = [FaultAct(kind=kind, nodes=nodes) for kind, nodes in acts]
    sent = None
    for act in begun:
        script.fault(act)
        sent = sent or script.invoke("b")
    assert sent is not None
    for act in begun:
        script.heal(act)
    script.ok(sent, 1)
    script.send("c", 2)
    script.final_read(dict(at_the_end))
    return script.history()


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs a check whose clients see, at the end, what is given."""
    module = importlib.import_module(CHECKS)

    def playing(function: str, at_the_end: Mapping[int, str], sequence: FaultSequence | None = None) -> None:
        seen = history(ACTS[function], at_the_end)
        topic = TopicSettings(replicas=3, min_insync=2)
        done = Finished(history=seen, operations=len(seen.operations), phases=(), topic=topic)  # type: ignore[arg-type]
        monkeypatch.setattr(driving, "run_workload", lambda *given, **more: done)
        monkeypatch.setattr(module, "require_equal_replicas", lambda *given: None)
        cluster: Any = MemoryCluster(tmp_path)
        drive = Drive(
            cluster=lambda: cluster,
            target=SimpleNamespace(name="memory", lack_for_fault=lambda kind: None),  # type: ignore[arg-type]
            library=SimpleNamespace(most_in_flight=5),  # type: ignore[arg-type]
            record=CheckRecord(check=function, target="memory", header=Header(), sentence=""),
            folder=lambda: SimpleNamespace(history_writer=lambda: None),  # type: ignore[arg-type,return-value]
            seed=1,
            duration_s=1,
            show=lambda progress: None,
        )
        given = {"cluster": cluster, "drive": drive, "names": Names("memory", function), "sequence": sequence}
        code = getattr(module, function)
        wanted = code.__code__.co_varnames[: code.__code__.co_argcount]
        code(**{name: given[name] for name in wanted})

    return playing


REJECTED = [
    (RETURNS, pause_kill, {0: "a", 1: "b"}, "acknowledged record"),
    (RETURNS, part_kill, {0: "a", 2: "c"}, "acknowledged record"),
    (ALONE, lone_leader, {0: "a", 1: "b"}, "acknowledged record"),
    (ALONE, lone_leader_with_clients, {0: "b", 1: "a", 2: "c"}, "offset"),
    (ROLLS, None, {0: "a", 1: "b", 2: "c", 3: "b"}, "stands at t-0 offset 1 and t-0 offset 3"),
]
"""(check, sequence, what the log holds in the end, what the check says of it)."""


@pytest.mark.parametrize(("function", "sequence", "at_the_end", "says"), REJECTED, ids=str)
def test_a_check_rejects_what_a_sequence_brings_out(
    play: Callable[..., None], function: str, sequence: FaultSequence | None, at_the_end: Mapping[int, str], says: str
) -> None:
    with pytest.raises(BrokenPromise) as raised:
        play(function, at_the_end, sequence)

    assert says in raised.value.happened


def test_a_run_that_lost_nothing_holds(play: Callable[..., None]) -> None:
    play(RETURNS, {0: "a", 1: "b", 2: "c"}, pause_kill)


@pytest.mark.parametrize(("function", "sequence"), [(ALONE, lone_leader), (ROLLS, None)], ids=str)
def test_a_run_in_which_nobody_else_came_to_lead_proves_nothing(
    play: Callable[..., None], function: str, sequence: FaultSequence | None
) -> None:
    with pytest.raises(Unproven, match="came to have another leader"):
        play(function, {0: "a", 1: "b", 2: "c"}, sequence)
