"""The difference engine: steps per second on each target, what it covers in a time, how soon it finds a plant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.subjects import KAFKA
from bench.table import Goal, Row, Table
from harness.clients.client import ClientTrouble
from harness.comparing.known_differences import read_known
from harness.hosts.host import HostTrouble
from harness.search.lockstep.clusters import opened
from harness.search.lockstep.command import KNOWN
from harness.search.lockstep.lockstep import Lockstep
from harness.search.lockstep.model_command import Judging
from harness.search.lockstep.opening import openings
from harness.search.lockstep.player import Player
from harness.search.lockstep.search import Limits, Search, listed_by_all, search
from harness.targets.planted import differences

REFERENCE = "reference"
OTHER = f"kafka@{KAFKA}"
SEED = 1
STEPS_PER_S = Goal(300, is_upper=False)
MODEL_STEPS_PER_S = Goal(2_000, is_upper=False)
PATIENCE_S = 60.0
"""How long a plant is looked for."""


@dataclass(slots=True)
class Covered:
    """What the searches of one pair of targets have reached together."""

    steps: int = 0
    seconds: float = 0.0
    versions: set[tuple[str, int]] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)

    def take(self, found: Search) -> None:
        """Add a search."""
        self.steps += found.steps
        self.seconds += found.seconds
        self.versions |= set(found.exercised)
        self.kinds |= set(found.findings)


def measure(table: Table, *, coverage_s: Sequence[float], model_s: float) -> None:
    """Add the rows. `coverage_s` are the times after which it is told how many versions of APIs were compared (s)."""
    table.heading("The difference engine")
    _model(table, model_s)
    _alone(table, coverage_s[0])
    _beside_kafka(table, coverage_s)
    _plants(table)


def _model(table: Table, seconds: float) -> None:
    rates = [_model_rate(target, seconds) for target in (REFERENCE, OTHER)]
    name = "steps judged by the model"
    table.add(Row(name=name, unit="1/s", reference=rates[0], kafka=rates[1], goal=MODEL_STEPS_PER_S))


def _model_rate(target: str, seconds: float) -> float | None:
    """Steps per second of one target; None where it is not to be had."""
    judging = Judging(target=target, seed=SEED)
    try:
        judging.run(seconds, 1, Path("reports/out/model"), print)
    except (HostTrouble, ClientTrouble):
        return None
    return judging.rate


def _alone(table: Table, seconds: float) -> None:
    (covered,) = _covered([REFERENCE, REFERENCE], [seconds])
    rate = covered.steps / covered.seconds
    table.add(Row(name="steps in lockstep, two references", unit="1/s", reference=rate))


def _beside_kafka(table: Table, coverage_s: Sequence[float]) -> None:
    try:
        for until, covered in zip(coverage_s, _covered([REFERENCE, OTHER], coverage_s), strict=True):
            told = f"after {until:g} s of the reference and Kafka in lockstep"
            table.add(Row(name=f"versions of APIs {told}", unit="", reference=len(covered.versions)))
            table.add(Row(name=f"kinds of differences {told}", unit="", reference=len(covered.kinds)))
            for kind in sorted(covered.kinds):
                table.note(f"differs {told}: {kind}")
        rate = covered.steps / covered.seconds
    except (HostTrouble, ClientTrouble) as trouble:
        table.note(f"not measured: {trouble}")
        return
    table.add(Row(name="steps in lockstep with Kafka", unit="1/s", reference=rate, goal=STEPS_PER_S))


def _covered(targets: Sequence[str], until_s: Sequence[float]) -> Iterator[Covered]:
    """What is covered after each of some times, by searches with seeds of their own."""
    known = read_known(KNOWN)
    covered = Covered()
    with opened(targets) as sides:
        players = tuple(map(Player, sides))
        lockstep = Lockstep((players[0], players[1]), lambda difference: known.accepts(difference) is not None)
        bootstraps = [one.cluster.bootstrap for one in sides]
        listed = listed_by_all(bootstraps)
        opening = openings(bootstraps, listed)
        for seed, until in enumerate(until_s, SEED):
            limits = Limits(seconds=until - covered.seconds, kinds=1_000)
            covered.take(search(lockstep, listed, Search(seed=seed), limits, opening=opening))
            opening = []
            yield covered
        for player in players:
            player.close()


def _plants(table: Table) -> None:
    """A row for each planted difference: the time until a search of all writers meets it, shrinking left out."""
    slowest = 0.0
    for plant in differences():
        with opened([REFERENCE, f"planted@{plant}"]) as sides:
            first, second = map(Player, sides)
            bootstraps = [one.cluster.bootstrap for one in sides]
            listed, limits = listed_by_all(bootstraps), Limits(seconds=PATIENCE_S, kinds=1, shrink_tries=0)
            found = search(
                Lockstep((first, second)), listed, Search(seed=SEED), limits, opening=openings(bootstraps, listed)
            ).findings.values()
            first.close()
            second.close()
        took = next((finding.found_after_s for finding in found), None)
        slowest = max(slowest, PATIENCE_S if took is None else took)
        table.add(Row(name=plant, of="planted differences", unit="s", reference=took))
    table.add(
        Row(name="the planted difference that takes longest", unit="s", reference=slowest, goal=Goal(PATIENCE_S / 2))
    )
