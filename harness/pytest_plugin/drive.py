"""The fixture `drive`: a workload with faults on the check's cluster, its history stored and judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import pytest

from harness.clients.client import Library
from harness.history.operations import History
from harness.history.store import Item
from harness.judging.checkers.evidence import Evidence
from harness.judging.guarantees import Guarantees, TopicSettings
from harness.judging.outcome import Unproven
from harness.judging.verdicts import Validity, Verdict
from harness.pytest_plugin.options import ChosenTarget
from harness.pytest_plugin.record import CheckRecord, witness_of
from harness.runs.drive import run as run_workload
from harness.runs.fault import Fault
from harness.runs.progress import Progress
from harness.targets.target import Cluster
from harness.workloads.queue import Queue, judge
from nemesis.fault_names import fault_named


@dataclass(frozen=True, slots=True)
class Driven:
    """A run that was judged, and broke nothing."""

    history: History
    evidence: Evidence
    verdicts: tuple[Verdict, ...]


class Drive:
    """Runs workloads for one check."""

    def __init__(
        self,
        *,
        cluster: Callable[[], Cluster],
        target: ChosenTarget,
        library: Library,
        record: CheckRecord,
        folder: Callable[[], Item],
        seed: int,
        duration_s: float,
        show: Callable[[Progress], None],
    ) -> None:
        self._cluster = cluster
        self._target = target
        self._library = library
        self._record = record
        self._folder = folder
        self._seed = seed
        self._duration_s = duration_s
        self._show = show

    def __call__(
        self,
        queue: Queue,
        *faults: str | Fault | None,
        at_end: Sequence[str | Fault] = (),
        topic: TopicSettings | None = None,
        config: Mapping[str, str] | None = None,
        duration_s: float | None = None,
        hold_s: float = 2.0,
    ) -> Driven:
        """Runs the workload while the faults strike, stores the history, and judges it. Once in a check.

        BrokenPromise when the history holds what the settings forbid; Unproven when it proves nothing; skips where
        the target does not offer a fault.
        """
        record, topic = self._record, topic or TopicSettings()
        strikes, last = self._strikes(faults), self._strikes(at_end)
        record.client_settings, record.topic_settings = queue.client, topic
        cluster = self._cluster()
        finished = run_workload(
            queue,
            cluster,
            self._library,
            writer=self._folder().history_writer(),
            seed=f"{self._seed}/{record.check}",
            duration_s=self._duration_s if duration_s is None else duration_s,
            faults=strikes,
            at_end=last,
            hold_s=hold_s,
            topic_config=config,
            progress=self._watch,
        )
        record.phases += [asdict(phase) for phase in finished.phases]
        record.operations = len(finished.history)
        record.faults = len(strikes) + len(last)
        verdicts = record.verdicts = judge(finished.history, Guarantees.of(queue.client, topic))
        broken = witness_of(verdicts)
        if broken is not None:
            raise broken
        unknown = [verdict.reason for verdict in verdicts if verdict.validity is Validity.UNKNOWN]
        if unknown:
            raise Unproven("; ".join(dict.fromkeys(unknown)))
        return Driven(finished.history, Evidence.of(finished.history), verdicts)

    def _watch(self, progress: Progress) -> None:
        self._record.faults = progress.faults
        self._record.operations = progress.sent + progress.acknowledged
        self._show(progress)

    def _strikes(self, faults: Sequence[str | Fault | None]) -> list[Fault]:
        chosen: list[Fault] = [fault_named(fault) if isinstance(fault, str) else fault for fault in faults if fault]
        for fault in chosen:
            if not self._target.supports(fault.kind):
                pytest.skip(f"{self._target.name}: no hand on its nodes, so no {fault.name}")
        return chosen
