"""The nemesis writes before it acts, heals whatever happens, and tells all that it could not heal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.history.operations import FaultAct, OpType
from harness.hosts.host import HostTrouble
from harness.judging.periods import fault_periods
from harness.runs import nemesis as role
from harness.runs.context import RunTrouble
from harness.runs.nemesis import NemesisRole, OneSpell, evenly
from harness.workloads.queue import Queue
from tests.unit.harness.runs.conftest import Stage

QUEUE = Queue(topic="t")


class FakeFault:
    """A fault that keeps a diary."""

    def __init__(self, kind: str, diary: list[str], fails: str = "") -> None:
        self.kind = kind
        self.name = f"{kind} leader"
        self._diary = diary
        self._fails = fails

    def plan(self, view: Any, random: Any) -> FaultAct:
        return FaultAct(kind=self.kind, nodes=(2,))

    def _do(self, what: str) -> str:
        self._diary.append(f"{what} {self.kind}")
        if self._fails == what:
            raise HostTrouble(f"no {what}")
        return f"{what} is proved"

    def inject(self, cluster: Any, act: FaultAct) -> str:
        return self._do("inject")

    def heal(self, cluster: Any) -> str:
        return self._do("heal")

    def verify_healed(self, cluster: Any) -> None:
        self._do("verify")


@pytest.fixture
def diary(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(role, "look_at_partitions", lambda context: None)
    return []


def nemesis_of(stage: Stage) -> NemesisRole:
    return NemesisRole(stage.set_up(QUEUE))


def test_an_act_is_written_before_it_is_done_and_its_proof_after(stage: Stage, diary: list[str]) -> None:
    nemesis_of(stage).work([OneSpell((FakeFault("kill", diary),), 1, 3)], 5)

    acts = stage.history().faults()
    assert [(act.kind, act.f, act.value.proof, act.time_ns / 1e9) for act in acts] == [  # type: ignore[union-attr]
        (OpType.INVOKE, "kill leader", "", 1.0),
        (OpType.INFO, "kill leader", "inject is proved", 1.0),
        (OpType.INVOKE, "heal", "", 3.0),
        (OpType.INFO, "heal", "heal is proved", 3.0),
    ]


def test_a_run_lasts_until_its_end_though_the_spells_are_over(stage: Stage, diary: list[str]) -> None:
    nemesis_of(stage).work([OneSpell((FakeFault("kill", diary),), 1, 3)], 5)

    assert stage.executor.now_s == 5


def test_the_faults_of_a_spell_are_healed_in_the_reverse_order_and_verified_after(
    stage: Stage, diary: list[str]
) -> None:
    nemesis_of(stage).work([OneSpell((FakeFault("kill", diary), FakeFault("pause", diary)), 1, 3)], 5)

    assert diary == ["inject kill", "inject pause", "heal pause", "heal kill", "verify pause", "verify kill"]


def test_spells_may_overlap(stage: Stage, diary: list[str]) -> None:
    kill, pause = FakeFault("kill", diary), FakeFault("pause", diary)

    nemesis_of(stage).work([OneSpell((pause,), 1, 4), OneSpell((kill,), 2, 6)], 7)

    assert diary == ["inject pause", "inject kill", "heal pause", "verify pause", "heal kill", "verify kill"]
    assert [(period.begin_ns, period.end_ns) for period in fault_periods(stage.history())] == [
        (1_000_000_000, 4_000_000_000),
        (2_000_000_000, 6_000_000_000),
    ]


def test_a_quiet_spell_does_nothing(stage: Stage, diary: list[str]) -> None:
    nemesis_of(stage).work([OneSpell((), 1, 4)], 5)

    assert (diary, stage.executor.now_s) == ([], 5)


@pytest.mark.parametrize("step", ["heal", "verify"])
def test_a_failed_heal_does_not_keep_the_others_from_being_tried(stage: Stage, diary: list[str], step: str) -> None:
    faults = (FakeFault("kill", diary, fails=step), FakeFault("pause", diary, fails=step))

    with pytest.raises(RunTrouble, match=r"pause leader .*no .*; kill leader .*no "):
        nemesis_of(stage).work([OneSpell(faults, 1, 3)], 5)
    assert {"heal kill", "heal pause"} <= set(diary)


def test_a_fault_that_takes_no_effect_ends_the_run_and_all_are_healed(stage: Stage, diary: list[str]) -> None:
    faults = (FakeFault("pause", diary), FakeFault("kill", diary, fails="inject"))

    with pytest.raises(RunTrouble, match="kill leader could not be injected: no inject"):
        nemesis_of(stage).work([OneSpell(faults, 1, 3)], 5)
    assert diary == ["inject pause", "inject kill", "heal kill", "heal pause", "verify kill", "verify pause"]


def test_a_fault_without_an_effect_has_no_proof_in_the_history(stage: Stage, diary: list[str]) -> None:
    with pytest.raises(RunTrouble):
        nemesis_of(stage).work([OneSpell((FakeFault("kill", diary, fails="inject"),), 1, 3)], 5)

    assert [period.act.proof for period in fault_periods(stage.history())] == [""]


def test_an_interrupted_run_is_healed(stage: Stage, diary: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    nemesis, sleep = nemesis_of(stage), stage.executor.sleep

    def interrupted(seconds: float) -> None:
        sleep(seconds)
        if stage.executor.now_s >= 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(stage.executor, "sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        nemesis.work([OneSpell((FakeFault("kill", diary),), 1, 3)], 5)
    assert diary == ["inject kill", "heal kill", "verify kill"]


def test_faults_at_the_end_are_healed_at_once_one_after_another(stage: Stage, diary: list[str]) -> None:
    nemesis_of(stage).at_once([FakeFault("kill", diary), FakeFault("pause", diary)])

    assert diary == ["inject kill", "heal kill", "verify kill", "inject pause", "heal pause", "verify pause"]


@pytest.mark.parametrize(
    ("count", "duration_s", "hold_s", "spans"),
    [(1, 10, 2, [(4, 6)]), (2, 10, 2, [(2, 4), (6, 8)]), (2, 1, 3, [(1, 4), (5, 8)]), (0, 10, 2, [])],
)
def test_faults_are_spread_evenly_and_at_least_a_second_apart(
    count: int, duration_s: float, hold_s: float, spans: list[tuple[float, float]]
) -> None:
    make: Callable[[str], FakeFault] = lambda kind: FakeFault(kind, [])  # noqa: E731
    spells = evenly([make("kill") for _ in range(count)], duration_s, hold_s)

    assert [(spell.begin_s, spell.end_s) for spell in spells] == spans
