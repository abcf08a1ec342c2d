"""`-n N`: checks run in worker processes of pytest-xdist, and the run reports as if it were one process.

The controller makes the run's folder and tells the workers where it is. A worker stores its checks there, and sends the
record of each with the last of pytest's reports of it. The controller puts the records in the order of the checks; it
compares, prints and writes what concerns the whole run.
"""

from __future__ import annotations

import base64
import pickle
from collections.abc import Generator, Mapping, Sequence
from typing import Any, Final

import pytest

from harness.catalogue import Header
from harness.judging.outcome import Outcome
from harness.pytest_plugin.groups import mark_groups, without_group
from harness.pytest_plugin.record import CheckRecord, check_name, record_of, variant_of
from harness.pytest_plugin.session import SESSION, WORKER_RUN, WORKER_TAG, Session
from harness.pytest_plugin.status import outcome_property
from harness.pytest_plugin.worker_progress import shown
from reference_broker.command_line import as_typed

_RECORD: Final = "kafka_check"
"""The attribute of a report that carries the record."""


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker of pytest-xdist."""
    return hasattr(config, "workerinput")


def is_controller(config: pytest.Config) -> bool:
    """Whether this process hands its checks to workers."""
    return not is_worker(config) and getattr(config.option, "dist", "no") != "no" and bool(config.option.tx)


def register(config: pytest.Config) -> None:
    """Turns on what a worker or a controller needs; nothing in a run of one process."""
    if is_worker(config):
        config.pluginmanager.register(Worker(config), "harness.pytest_plugin.worker")
    elif is_controller(config):
        config.pluginmanager.register(Controller(config.stash[SESSION]), "harness.pytest_plugin.controller")


class Worker:
    """The plugin object of a worker."""

    def __init__(self, config: pytest.Config) -> None:
        given: Mapping[str, Any] = config.workerinput  # type: ignore[attr-defined]
        self._workers = int(given["workercount"])

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Before pytest-xdist adds an item's group to its id, which is in its record."""
        for item in items:
            record_of(item)
        mark_groups(items, self._workers)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Adds the record, when the check has been torn down."""
        report = yield
        if report.when == "teardown":
            setattr(report, _RECORD, base64.b64encode(pickle.dumps(record_of(item))).decode())
        return report


class Controller:
    """The plugin object of the controller."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._places: dict[str, int] = {}
        """Id of an item → its place among all."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tells a worker what is one for the whole run."""
        node.workerinput[WORKER_RUN] = str(self._session.run().path)
        node.workerinput[WORKER_TAG] = self._session.tag

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Instead of pytest-xdist's own."""
        from harness.pytest_plugin.scheduling import ByCluster  # pytest-xdist need not be installed

        return ByCluster(config, log)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """All workers collect the same items in the same order."""
        self._places = {without_group(nodeid): place for place, nodeid in enumerate(ids)}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Takes in the record that a worker sent."""
        report.nodeid = without_group(report.nodeid)
        sent = report.__dict__.pop(_RECORD, None)
        if sent is not None:
            self._session.records.append(pickle.loads(base64.b64decode(sent)))

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: pytest.TestReport) -> None:
        """A check whose worker died: nobody else tells of it."""
        nodeid = without_group(crashitem)
        record = _crashed(nodeid, [target.name for target in self._session.options.targets])
        record.rerun = as_typed(f"pytest '{nodeid}' {self._session.options.for_target(record.target)}")
        record.failure = (
            f"UNKNOWN  {record.check} [{record.target}]",
            f"  Nothing is proved: the worker process died while it ran this check: {report.longrepr}",
            f"  Rerun      {record.rerun}",
        )
        report.longrepr = "\n".join(record.failure)
        report.user_properties.append(outcome_property(Outcome.UNKNOWN))
        self._session.store(record)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Shows what the workers are doing; puts the records in the order of the checks."""
        try:
            with shown(self._session.run().path, self._session.progress.say):
                return (yield)
        finally:
            self._session.records.sort(key=lambda record: self._places.get(record.nodeid, len(self._places)))


def _crashed(nodeid: str, targets: Sequence[str]) -> CheckRecord:
    """The record of a check of which only its id is known."""
    brackets = nodeid.partition("[")[2].removesuffix("]")
    target = next((name for name in targets if brackets == name or brackets.endswith(f"-{name}")), "")
    function = nodeid.rpartition("::")[2].partition("[")[0]
    return CheckRecord(
        check=check_name(nodeid.partition("::")[0], function, variant_of(brackets, target)),
        target=target,
        header=Header(),
        sentence="",
        nodeid=nodeid,
        function=function,
    )
