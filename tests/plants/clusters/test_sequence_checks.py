"""Checks of sequences reject the runs of clusters that believe the wrong replicas, and hold on right ones."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from harness.judging.outcome import Unproven
from harness.pytest_plugin.names import Names
from nemesis.sequences import FaultSequence, lone_leader, lone_leader_with_clients, part_kill, pause_kill
from tests.plants.clusters.canned_runs import drive_that_sees, three_records
from tests.plants.clusters.cluster_in_memory import MemoryCluster
from tests.plants.clusters.rejecting import acceptances, rejections, right, wrong

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


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs a check whose clients see, at the end, what is given."""
    module = importlib.import_module(CHECKS)

    def playing(
        function: str, at_the_end: Mapping[int, str], sequence: FaultSequence | None = None, **more: tuple[int, int]
    ) -> None:
        cluster = MemoryCluster(tmp_path)
        monkeypatch.setattr(module, "require_equal_replicas", lambda *given: None)
        drive = drive_that_sees(monkeypatch, cluster, three_records(ACTS[function], at_the_end, **more))
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


test_a_check_rejects_what_a_sequence_brings_out = rejections(
    {f"{function}-{sequence}": wrong(says, function, end, sequence) for function, sequence, end, says in REJECTED}
)
ONE_OF_EACH: list[tuple[str, FaultSequence | None]] = [(RETURNS, pause_kill), (ALONE, lone_leader), (ROLLS, None)]
test_a_run_that_lost_nothing_holds = acceptances(
    {function: right(function, {0: "a", 1: "b", 2: "c"}, sequence) for function, sequence in ONE_OF_EACH}
)


@pytest.mark.parametrize(("function", "sequence"), [(ALONE, lone_leader), (ROLLS, None)], ids=str)
def test_a_run_in_which_nobody_else_came_to_lead_proves_nothing(
    play: Callable[..., None], function: str, sequence: FaultSequence | None
) -> None:
    with pytest.raises(Unproven, match="got another leader"):
        play(function, {0: "a", 1: "b", 2: "c"}, sequence, leaders=(1, 1))
