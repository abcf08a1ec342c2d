"""The fixture `kafka_drive`: a workload under faults, its history kept and judged; a broken promise fails the test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from harness.catalogue import Header
from harness.clients.client import CLIENTS, ClientTrouble, Library, library
from harness.history.store import Run
from harness.hosts.host import HostTrouble
from harness.installed_plugin.clusters import KafkaCluster
from harness.installed_plugin.injecting import fault_by_name
from harness.judging.outcome import BrokenPromise, Outcome, Unproven
from harness.pytest_plugin.drive import Drive, Driven
from harness.pytest_plugin.options import ChosenTarget
from harness.pytest_plugin.record import CheckRecord
from harness.pytest_plugin.words import failure_lines, outcome_of
from harness.runs.context import RunTrouble
from harness.runs.fault import Fault
from harness.targets.target import resolve
from harness.workloads.queue import Queue


class KafkaDrive:
    """Runs workloads for one test."""

    def __init__(
        self, *, broker: Callable[[], KafkaCluster], test: str, seed: int, rerun: str, folder: Callable[[], Path]
    ) -> None:
        self._broker = broker
        self._test = test
        self._seed = seed
        self._rerun = rerun
        self._folder = folder

    def __call__(
        self,
        queue: Queue,
        *faults: str | Fault,
        cluster: KafkaCluster | None = None,
        client: str = "confluent",
        at_end: Sequence[str | Fault] = (),
        replicas: int = 1,
        config: Mapping[str, str] | None = None,
        duration_s: float = 5.0,
        hold_s: float = 1.0,
    ) -> Driven:
        """Runs the workload on a cluster (default: `kafka_broker`) while the faults strike, one after another, each for
        `hold_s` seconds, and judges what the clients saw. It makes the topic, with `replicas` and `config`.

        Fails the test, with the least evidence, when a promise of Kafka is broken, and when nothing is proved; skips
        where the target does not offer a fault. `client` is confluent, kafka_python, aiokafka or raw.
        """
        chosen, last = _faults(faults), _faults(at_end)
        used = cluster or self._broker()
        record = CheckRecord(
            check=self._test,
            target=used.target,
            header=Header(),
            sentence="",
            nodeid=self._test,
            client=client,
            rerun=self._rerun,
            version=used.version,
        )
        stored = Run.create(root=self._folder())
        drive = Drive(
            cluster=lambda: used.cluster,
            target=ChosenTarget(resolve(used.target), used.target),
            library=_library(client),
            record=record,
            folder=lambda: record.open_folder(stored),
            seed=self._seed,
            duration_s=duration_s,
            show=lambda progress: None,
        )
        try:
            driven = drive(queue, *chosen, at_end=last, replicas=replicas, config=config, hold_s=hold_s)
        except (BrokenPromise, Unproven, RunTrouble, ClientTrouble, HostTrouble) as trouble:
            lines = self._failed(record, trouble, used)
        else:
            record.outcome = Outcome.HELD
            record.open_folder(stored).write_meta(record.meta(self._seed))
            return driven
        pytest.fail("\n".join(lines), pytrace=False)

    def _failed(self, record: CheckRecord, trouble: Exception, used: KafkaCluster) -> tuple[str, ...]:
        """Keeps all that is known of the run, and gives the lines that the test shows."""
        record.outcome = outcome_of(trouble)
        if record.folder is not None:
            record.shown_folder = str(record.folder.path)
            record.folder.write_logs(used.logs())
        record.failure = failure_lines(record, record.outcome, trouble, self._test)
        if record.folder is not None:
            record.folder.write_meta(record.meta(self._seed))
        return record.failure


def _faults(faults: Sequence[str | Fault]) -> list[Fault]:
    return [fault_by_name(fault, "kafka_drive") if isinstance(fault, str) else fault for fault in faults]


def _library(client: str) -> Library:
    """The client library. Fails where there is no such one, or its package is not installed."""
    if client not in CLIENTS:
        pytest.fail(f"kafka_drive: unknown client {client!r} (known: {', '.join(CLIENTS)})", pytrace=False)
    try:
        return library(client)
    except ImportError as missing:
        lines = f"kafka_drive: the package {missing.name} is not installed: install it, or give client='raw'"
    pytest.fail(lines, pytrace=False)
