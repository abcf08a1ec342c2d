"""What came of a scenario: its verdicts, what it says to people, and what is stored of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.history.store import Meta, verdict_data
from harness.judging.availability import Gap, availability
from harness.judging.evidence.evidence import Evidence
from harness.judging.judge import describe
from harness.judging.measures import loss_sentences, measures
from harness.judging.periods import rules_of
from harness.judging.verdicts import Validity, Verdict, merged
from harness.runs.run import Finished
from harness.workloads.queue import Queue, judge
from nemesis.scenario import Scenario
from nemesis.terminal import labelled, wrapped

_OUTCOME = {Validity.VALID: "held", Validity.INVALID: "broken", Validity.UNKNOWN: "unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The end of one scenario."""

    scenario: Scenario
    version: str
    took_s: float
    trouble: str = ""
    """Why the scenario could not be run as asked; then nothing was judged."""
    ended: tuple[str, ...] = ()
    """What is told of nodes that do not run at the end, although no fault holds them down: they ended by themselves."""
    finished: Finished | None = None
    verdicts: tuple[Verdict, ...] = ()
    gaps: tuple[Gap, ...] = ()
    measures: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        scenario: Scenario,
        queue: Queue,
        finished: Finished,
        *,
        version: str,
        took_s: float,
        ended: tuple[str, ...] = (),
    ) -> Judged:
        """Judges a finished run by what the cluster promises."""
        rules = rules_of(finished.history, queue.client, finished.topic)
        return cls(
            scenario=scenario,
            version=version,
            took_s=took_s,
            ended=ended,
            finished=finished,
            verdicts=judge(finished.history, rules, queue.needs),
            gaps=availability(finished.history),
            measures=measures(Evidence.of(finished.history), rules),
        )

    @property
    def validity(self) -> Validity:
        """The worst verdict; unknown when nothing was judged. A broker that ends by itself breaks a promise, too."""
        crashed = [Validity.INVALID] if self.ended and self.finished is not None else []
        return merged([*(verdict.validity for verdict in self.verdicts), *crashed])

    @property
    def check(self) -> str:
        """Its name among stored checks: "nemesis/queue[kill leader]"."""
        trouble = self.scenario.sequence or ", ".join(map(str, self.scenario.faults)) or "no faults"
        return f"nemesis/{self.scenario.workload}[{trouble}]"

    def lines(self) -> Iterator[str]:
        """For a terminal: the verdict, what did not hold, and the longest time without a success per fault."""
        outcome = _OUTCOME[self.validity]
        if self.finished is None:
            yield from labelled("verdict", f"{outcome}: {self.trouble}")
            yield from self._ended_lines()
            return
        judged = f"{len(self.verdicts)} checkers, {self.finished.operations:,} operations"
        yield from labelled("verdict", f"{outcome}: {judged}")
        yield from self._ended_lines()
        for number, part in enumerate(self.verdicts[0].rests_on.split("; ")):
            yield from labelled("" if number else "judged on", part)
        for note in self.finished.notes:
            yield from labelled("note", f"{note}: no other leaves a majority of the nodes untouched")
        if self.validity is not Validity.VALID:
            for line in describe(self.check, self.scenario.target, self.verdicts):
                yield from wrapped(line)
        if self.gaps:
            yield "longest time without a success, for each fault"
        for gap in self.gaps:
            yield from wrapped(f"  {gap.length_s:6.1f} s  {gap.role}, {gap.fault}", hang=12)
        for sentence in loss_sentences(self.measures, only_lost=True):
            yield from labelled("lost", sentence)

    def _ended_lines(self) -> Iterator[str]:
        for sentence in self.ended:
            yield from labelled("ended", sentence)

    def meta(self, queue: Queue) -> Meta:
        """What is stored of it."""
        scenario, finished = self.scenario, self.finished
        described = describe(self.check, scenario.target, self.verdicts) if self.verdicts else [self.trouble]
        described += self.ended
        stored = Meta(
            check=self.check,
            target=scenario.target,
            version=self.version,
            client=scenario.client,
            seed=scenario.seed,
            workload=scenario.workload,
            client_settings=asdict(queue.client),
            needs=asdict(queue.needs),
            rerun=scenario.rerun,
            verdict=str(self.validity),
            verdicts=[verdict_data(verdict) for verdict in self.verdicts],
            duration_s=round(self.took_s, 3),
            availability=[asdict(gap) for gap in self.gaps],
            more={
                "outcome": _OUTCOME[self.validity],
                "sentence": f"Acknowledged records survive, in order, and are delivered: {scenario.sentence}",
                "title": "A workload under faults",
                "failure": "" if self.validity is Validity.VALID else "\n".join(described),
                "phases": [asdict(phase) for phase in finished.phases] if finished else [],
            },
        )
        if finished is not None:
            evidence = Evidence.of(finished.history)
            rules = rules_of(finished.history, queue.client, finished.topic)
            stored.topic_settings, stored.fault_effects = asdict(finished.topic), asdict(rules.faults)
            stored.operations, stored.measures = finished.operations, dict(self.measures)
            stored.faults = sum(1 for operation in evidence.faults if operation.f != "heal" and operation.of is None)
        return stored
