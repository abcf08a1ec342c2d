"""The fixture `drive`: a workload with faults on the check's cluster, its history stored and judged."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from harness.clients.client import Library, settings_with
from harness.history.files import StoredHistory
from harness.history.store import Item
from harness.hosts.executor import current
from harness.judging.availability import availability
from harness.judging.evidence.evidence import Evidence
from harness.judging.measures import measures
from harness.judging.outcome import Unproven
from harness.judging.periods import rules_of
from harness.judging.verdicts import Validity, Verdict
from harness.pytest_plugin.lacking import skip_for
from harness.pytest_plugin.options import ChosenTarget
from harness.pytest_plugin.record import CheckRecord, witness_of
from harness.runs.fault import Fault
from harness.runs.progress import Progress
from harness.runs.run import run as run_workload
from harness.targets.target import Cluster
from harness.workloads.queue import Queue, judge
from nemesis.fault_names import fault_named
from nemesis.sequences import FaultSequence


@dataclass(frozen=True, slots=True)
class Driven:
    """A run that was judged, and broke nothing."""

    history: StoredHistory
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
        required: Collection[str] = (),
    ) -> None:
        self._cluster = cluster
        self._target = target
        self._library = library
        self._record = record
        self._folder = folder
        self._seed = seed
        self._duration_s = duration_s
        self._required = required
        self._show = show

    def __call__(
        self,
        queue: Queue,
        *faults: str | Fault | None,
        at_end: Sequence[str | Fault] = (),
        sequence: FaultSequence | None = None,
        replicas: int = 1,
        config: Mapping[str, str] | None = None,
        duration_s: float | None = None,
        hold_s: float = 2.0,
    ) -> Driven:
        """Runs the workload while the faults strike, stores the history, and judges it. Once in a check.

        A directed `sequence` (nemesis/sequences.py) has faults of its own, and says how long the run lasts at least.

        BrokenPromise when the history holds what the settings forbid, as the cluster tells them; Unproven when it
        proves nothing; skips where the target does not offer a fault.
        """
        record = self._record
        spells = () if sequence is None else sequence.spells()
        lasts_s = max(self._duration_s if duration_s is None else duration_s, sequence.lasts_s() if sequence else 0.0)
        chosen, last = self._faults(faults), self._faults(at_end)
        directed = self._faults([fault for spell in spells for fault in spell.faults])
        queue = replace(queue, client=settings_with(self._library, queue.client))
        record.client_settings, record.needs = queue.client, queue.needs
        cluster = self._cluster()
        for fault in (*chosen, *directed, *last):
            if (lack := fault.lack(cluster)) is not None:
                skip_for(lack.of(self._target.name), self._required)
        finished = run_workload(
            queue,
            cluster,
            self._library,
            writer=self._folder().history_writer(clock_ns=current().now_ns, started_at_ms=current().wall_ms()),
            seed=f"{self._seed}/{record.check}",
            duration_s=lasts_s,
            faults=chosen,
            spells=spells,
            at_end=last,
            hold_s=hold_s,
            replicas=replicas,
            topic_config=config,
            progress=self._watch,
        )
        record.phases += [asdict(phase) for phase in finished.phases]
        record.operations = finished.operations
        record.faults = len(chosen) + len(directed) + len(last)
        evidence = Evidence.of(finished.history)
        rules = rules_of(finished.history, queue.client, finished.topic)
        record.topic_settings, record.fault_effects = finished.topic, rules.faults
        record.availability = [asdict(gap) for gap in availability(finished.history)]
        record.measures = measures(evidence, rules)
        verdicts = record.verdicts = judge(finished.history, rules, queue.needs)
        broken = witness_of(verdicts)
        if broken is not None:
            raise broken
        unknown = [verdict.reason for verdict in verdicts if verdict.validity is Validity.UNKNOWN]
        if unknown:
            raise Unproven("; ".join(dict.fromkeys(unknown)))
        return Driven(finished.history, evidence, verdicts)

    def _watch(self, progress: Progress) -> None:
        self._record.faults = progress.faults
        self._record.operations = progress.sent + progress.acknowledged
        self._show(progress)

    def _faults(self, faults: Sequence[str | Fault | None]) -> list[Fault]:
        chosen: list[Fault] = [fault_named(fault) if isinstance(fault, str) else fault for fault in faults if fault]
        for fault in chosen:
            if (lack := self._target.lack_for_fault(fault.kind)) is not None:
                skip_for(lack, self._required)
        return chosen
