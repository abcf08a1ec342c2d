"""What the plugin keeps for a whole session."""

from __future__ import annotations

import platform
import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from harness.history.store import OUT, Run
from harness.judging.outcome import Outcome
from harness.known_bugs import KNOWN_BUGS_FILE, KnownBug, KnownBugsTrouble, bug_said, read_known_bugs
from harness.pytest_plugin.clusters import Clusters
from harness.pytest_plugin.names import run_tag
from harness.pytest_plugin.options import OPTIONS, Options
from harness.pytest_plugin.progress_line import ProgressLine
from harness.pytest_plugin.record import CheckRecord
from harness.pytest_plugin.worker_progress import WorkerLine
from harness.targets.target import TargetKind
from reference_broker.command_line import as_typed, told

WORKER_RUN: Final = "kafka_run"
WORKER_TAG: Final = "kafka_tag"
"""What a worker of pytest-xdist is told by its controller (harness/pytest_plugin/workers.py)."""


class Session:
    """One run of checks."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.options: Options = config.stash[OPTIONS]
        try:
            self.known_bugs = read_known_bugs(config.rootpath / "checks" / KNOWN_BUGS_FILE)
        except KnownBugsTrouble as trouble:
            raise pytest.UsageError(f"harness: {trouble}") from None
        told: Mapping[str, Any] = getattr(config, "workerinput", {})
        self.tag: str = told.get(WORKER_TAG) or run_tag()
        """Six characters that tell this run from others."""
        is_controller = getattr(config.option, "dist", "no") != "no"
        self.progress: ProgressLine | WorkerLine = (
            WorkerLine(Path(told[WORKER_RUN]), told["workerid"])
            if WORKER_RUN in told
            else ProgressLine(config, may_rewrite=not is_controller)
        )
        self.clusters = Clusters(self.progress.say)
        self.records: list[CheckRecord] = []
        """Of the checks that have ended, in order."""
        self._not_stored = ""
        self.started = time.monotonic()
        self._started_at_ms = time.time_ns() // 1_000_000
        self._run: Run | None = Run(Path(told[WORKER_RUN])) if WORKER_RUN in told else None

    def run(self) -> Run:
        """The run's folder in the store, made when first asked for. UsageError where none can be made."""
        if self._run is None:
            try:
                self._run = Run.create(root=self._config.rootpath / OUT, about=self.about())
            except OSError as error:
                raise pytest.UsageError(f"harness: no run can be stored: {told(error, str(OUT))}") from None
        return self._run

    @property
    def stored(self) -> Run | None:
        """The run's folder, if anything was stored."""
        return self._run

    def store(self, record: CheckRecord) -> None:
        """Takes in a check that has ended, and writes what is known of it."""
        record.duration_s = time.monotonic() - record.started
        self.records.append(record)
        with self.storing(record):
            record.open_folder(self.run()).write_meta(record.meta(self.options.seed))

    def kafka_release(self, record: CheckRecord) -> str:
        """The release of Apache Kafka on which a check ran; "" where it was another broker, or none says."""
        return "" if self.kind_of(record) in (None, TargetKind.REFERENCE, TargetKind.SIMULATED) else record.version

    def kind_of(self, record: CheckRecord) -> TargetKind | None:
        """What the clusters of a check's target are made of; None where it ran on none."""
        return next((target.kind for target in self.options.targets if target.name == record.target), None)

    def known_bug(self, record: CheckRecord, happened: str) -> KnownBug | None:
        """The known bug of its target that broke a check, by what the check says; None where there is none."""
        if record.outcome is not Outcome.BROKEN:
            return None
        return self.known_bugs.behind(record.check, self.kafka_release(record), happened)

    def open_folder(self, record: CheckRecord) -> None:
        """Makes the folder of a check, for the lines that name it."""
        with self.storing(record):
            record.shown_folder = self.shown(record.open_folder(self.run()).path)

    @contextmanager
    def storing(self, record: CheckRecord | None = None) -> Iterator[None]:
        """A file that cannot be written (a full disk) does not end the run; the summary reports it, and the run
        fails."""
        try:
            yield
        except OSError as error:
            if record is not None:
                record.not_stored = told(error)
            else:
                self._not_stored = told(error)

    @property
    def not_stored(self) -> str:
        """Why the run could not be stored whole; "" when it was."""
        return next((record.not_stored for record in self.records if record.not_stored), self._not_stored)

    def shown(self, path: Path) -> str:
        """A path as people would type it: from the folder in which pytest was started."""
        try:
            return path.relative_to(self._config.invocation_params.dir).as_posix()
        except ValueError:
            return str(path)

    def versions(self) -> dict[str, str]:
        """Target → release, as its cluster says."""
        return {record.target: record.version for record in self.records if record.version} | self.clusters.versions

    def about(self) -> dict[str, Any]:
        """What is said of the run: how it was asked for, and on what it ran."""
        options = self.options
        return {
            "targets": [target.name for target in options.targets],
            "versions": self.versions(),
            "clients": sorted({record.client for record in self.records if record.client}),
            "seed": options.seed,
            "duration_s": options.duration_s,
            **({} if options.nodes is None else {"nodes": options.nodes}),
            "started_at_ms": self._started_at_ms,
            "elapsed_s": round(time.monotonic() - self.started, 3),
            "rerun": self.rerun(),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "known_bugs": [bug_said(bug) for bug in self.known_bugs.bugs],
            "arguments": list(sys.argv[1:]),
        }

    def rerun(self) -> str:
        """The command that does the whole run again."""
        places = " ".join(argument for argument in self._config.args) or "checks/"
        shown = self.shown(Path(places)) if Path(places).is_absolute() else places
        share = self._config.getoption("--sample")
        chosen = (("-m", self._config.option.markexpr), ("-k", self._config.option.keyword))
        filters = "".join(f" {flag} {shlex.quote(words)}" for flag, words in chosen if words)
        return as_typed(f"pytest {shown} {self.options.words()}{f' --sample {share}' if share else ''}{filters}")


SESSION: pytest.StashKey[Session] = pytest.StashKey()
"""Where the configuration keeps it."""
