"""Runs Hypothesis's rule-based state machines against a target: each rule plays a step, and the model judges the
answer.

A sequence with an answer that is not allowed is shrunk in bounded time (harness/search/lockstep/shrink.py) and reported
as a script that runs on its own. Hypothesis stores failing examples in a database and plays them first in the next run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from harness.cache import cache_folder
from harness.clients.client import ClientTrouble
from harness.history.whole_file import write_whole
from harness.hosts import cluster_time as time
from harness.hosts.host import HostTrouble
from harness.judging.outcome import BrokenPromise, Unproven
from harness.judging.verdicts import Validity, Verdict
from harness.search.lockstep.actions import Request
from harness.search.lockstep.clusters import Opened
from harness.search.lockstep.judging import run_name, script, shown
from harness.search.lockstep.model_command import shortest
from harness.search.lockstep.modelled import Disagreement, Modelled, Step
from harness.search.lockstep.played import LeastPlayed, Played, activity, lacking
from harness.search.lockstep.search import listed_by_all
from harness.search.sequences.writing import Listed, fitted
from harness.targets.target import Cluster, Target, as_given

EXAMPLES: Final = 20
"""Examples per round. Rounds, each with its own seed, follow one another until the time is over."""
STEPS: Final = 25
FURTHER_ROUNDS: Final = 12
"""Most rounds played after the time is over, if not enough has been played yet."""
SCRIPTS: Final = Path("reports/out/model")


class NotAllowed(AssertionError):
    """An answer that the model does not allow."""


class ModelMachine(RuleBasedStateMachine):
    """Base of all machines. Each example is one sequence with its own names."""

    modelled: ClassVar[Modelled]
    listed: ClassVar[Listed]
    """API key → versions that the target lists."""
    failed: ClassVar[tuple[tuple[Step, ...], Disagreement] | None] = None
    trouble: ClassVar[Exception | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self.modelled.begin()

    def do(self, step: Step) -> None:
        """Plays a step. NotAllowed if the model does not allow the answer."""
        step = fitted(step) if isinstance(step, Request) else step
        self.steps.append(step)
        try:
            complaints = self.modelled.step(step)
        except (ClientTrouble, HostTrouble, OSError) as trouble:
            type(self).trouble = trouble
            raise
        if complaints:
            disagreement = Disagreement(at=len(self.steps) - 1, complaints=tuple(complaints))
            type(self).failed = (tuple(self.steps), disagreement)
            raise NotAllowed(complaints[0])

    def ask(self, message: Any, version: int, client: int = 0, **more: Any) -> None:
        """Plays a request, with the version limited to those that the target lists."""
        low, high = self.listed[message.API_KEY]
        self.do(Request(message=message, version=min(max(version, low), high), client=client, **more))


@dataclass(frozen=True, slots=True)
class Explored:
    """The result of an exploration in which every answer was allowed."""

    played: Played
    topics: tuple[str, ...]
    """Names of the topics that the sequences created and did not delete."""
    verdict: Verdict
    """Unknown if too little was played, else valid."""

    def require_enough(self) -> None:
        """Raises Unproven, with the reason, if too little was played."""
        if self.verdict.validity is Validity.UNKNOWN:
            raise Unproven(self.verdict.reason)


def explore(
    machine: type[ModelMachine],
    target: Target,
    cluster: Cluster,
    *,
    run_seed: int,
    duration_s: float,
    least: LeastPlayed,
    examples: int = EXAMPLES,
) -> Explored:
    """Plays examples until the time is over; then, for at most 12 more rounds, until enough was played.

    BrokenPromise if an answer is not allowed; ClientTrouble or HostTrouble if the target fails.
    """
    # A simulated cluster is the check's own, and what is done there the same in each run with the seed.
    run = f"m{run_seed}" if cluster.executor.is_virtual else run_name()
    modelled = Modelled(Opened(as_given(target.name), target, cluster), run)
    modelled.player.prepare()
    bound = type(machine.__name__, (machine,), {"modelled": modelled, "listed": listed_by_all([cluster.bootstrap])})
    deadline, number = time.monotonic() + duration_s, 0
    try:
        further = 0
        while further < FURTHER_ROUNDS:
            is_over = time.monotonic() >= deadline
            if number and is_over and not any(lacking(modelled.played, least)):
                break
            further += is_over and number > 0
            play_round(bound, f"{run_seed}/{machine.__name__}/{number}", examples)
            number += 1
        modelled.begin()
        return Explored(modelled.played, tuple(modelled.made), activity(modelled.played, least))
    finally:
        modelled.close()


def play_round(bound: Any, text: str, examples: int) -> None:
    """Plays one round of examples with a seed: first those that failed earlier, then new ones. BrokenPromise, with the
    shrunk sequence, if an answer is not allowed.

    `bound` is a machine class with `modelled` and `listed` set; failing examples are stored under its name.
    """
    chosen = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=list(HealthCheck),
        database=DirectoryBasedExampleDatabase(cache_folder() / "examples"),
        print_blob=False,
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
    )
    try:
        run_state_machine_as_test(seed(text)(bound), settings=chosen)
    except (NotAllowed, Flaky, ClientTrouble, HostTrouble, OSError):
        # Flaky means that Hypothesis could not reproduce the failure; one occurrence is enough for us.
        if bound.trouble is not None:
            raise bound.trouble from None
        if bound.failed is None:
            raise
    if bound.failed is not None:
        raise promise_broken(bound.modelled, *bound.failed) from None


def promise_broken(modelled: Modelled, steps: Sequence[Step], disagreement: Disagreement) -> BrokenPromise:
    """The exception for an answer that is not allowed: shrinks the sequence, and writes a script that repeats it."""
    smallest, last = shortest(modelled, steps[: disagreement.at + 1], disagreement)
    target = modelled.player.target
    path = SCRIPTS / f"{modelled.run}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, script(smallest, last, target))
    return BrokenPromise(
        "The model allows another answer. " + "; ".join(last.complaints) + ".",
        witness=[*shown(smallest, last), f"Runs alone: python {path}"],
        promise="the answers that harness/model allows, written from Kafka's documents",
        anomaly="not allowed by the model",
    )
