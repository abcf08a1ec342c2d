"""The pytest plugin: options, targets as parameters, verdicts, words. `checks/conftest.py` turns it on.

Each check on each target is one item. Items are ordered by target and cluster, so that clusters, which take seconds
to open, are opened once; differences between targets come last.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from harness.comparing.differences import Differences
from harness.comparing.pair import pair
from harness.hosts.lack import Lack, Means
from harness.judging.outcome import Outcome
from harness.pytest_plugin.after_checks import AfterChecks
from harness.pytest_plugin.allure_folder import take_over
from harness.pytest_plugin.clusters import asked_by, key_of, shared_spec
from harness.pytest_plugin.fixtures import (  # fixtures are found as names of a plugin
    admin,
    chance,
    client,
    cluster,
    drive,
    java,
    names,
    operator,
    record,
    require_fault,
    seed,
    sockets,
    strike,
    target,
    usable,
)
from harness.pytest_plugin.groups import choose_distribution
from harness.pytest_plugin.lacking import lack_behind, skip_for
from harness.pytest_plugin.links import MARKERS as LINK_MARKERS
from harness.pytest_plugin.options import OPTIONS, add_options, read_options
from harness.pytest_plugin.record import record_of
from harness.pytest_plugin.sampling import register as register_sampling
from harness.pytest_plugin.session import SESSION, Session
from harness.pytest_plugin.status import Status, outcome_property
from harness.pytest_plugin.summary import Summary
from harness.pytest_plugin.terminal_file import Terminal
from harness.pytest_plugin.termination import Termination
from harness.pytest_plugin.words import failure_lines, outcome_of, said_of
from harness.pytest_plugin.workers import is_worker
from harness.pytest_plugin.workers import register as register_workers
from harness.targets.kafka_process import lack_of_java
from harness.targets.target import ClusterSpec
from reference_broker.command_line import as_typed

__all__ = [
    "admin",
    "chance",
    "client",
    "cluster",
    "drive",
    "java",
    "names",
    "operator",
    "pair",
    "record",
    "require_fault",
    "seed",
    "sockets",
    "strike",
    "target",
    "usable",
]

MARKERS = (
    "cluster(nodes=1, controllers=0, racks=(), config={}, is_exact=False): the cluster that a check wants, where one "
    "node does not do; is_exact where --nodes must leave it as it is",
    "long: takes minutes; .ci/run leaves it to make nightly",
    "several_nodes: set automatically on a check that asks for more than one node",
    "feature(name): the API or KIP that a check is about",
    "severity(level): blocker, critical, normal, minor or trivial",
    "needs(*means): what a check needs beside its target: java, root",
    "setting(*names): settings of topics and brokers that a check sees to do what Kafka's documents say",
)
_QUIET = ("ignore:read_text is deprecated", "ignore:open_text is deprecated")
"""Warnings that kafka-python's import gives, and nobody here can do anything about."""


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Before pytest-xdist reads its own options."""
    choose_distribution(config)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options."""
    add_options(parser)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Reads the options; a wrong one ends the run."""
    take_over(config)
    for marker in (*MARKERS, *LINK_MARKERS):
        config.addinivalue_line("markers", marker)
    for warning in _QUIET:
        config.addinivalue_line("filterwarnings", warning)
    config.stash[OPTIONS] = read_options(config)
    config.stash[SESSION] = Session(config)
    register_workers(config)
    register_sampling(config, config.stash[OPTIONS].seed)
    differences = Differences(config)
    config.pluginmanager.register(differences, "harness.comparing.differences")
    if not is_worker(config):  # a worker knows only a part of what is to be compared
        config.pluginmanager.register(AfterChecks(differences), "harness.pytest_plugin.after_checks")
    config.pluginmanager.register(Status(), "harness.pytest_plugin.status")
    config.pluginmanager.register(Summary(), "harness.pytest_plugin.summary")
    if not is_worker(config):
        config.pluginmanager.register(Terminal(config), "harness.pytest_plugin.terminal_file")
        config.pluginmanager.register(Termination(), "harness.pytest_plugin.termination")


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Targets, seed, and how to run it again."""
    session = config.stash[SESSION]
    lines, nodes = [], session.options.nodes
    for number, chosen in enumerate(session.options.targets):
        lack = chosen.lack(None if nodes is None else ClusterSpec(nodes=nodes))
        label = "target        " if number == 0 else "              "
        lines.append(f"{label}{chosen.name}{f'   (cannot be used: {lack})' if lack else ''}")
    if nodes is not None:
        lines.append(f"nodes         {nodes} (a check that is about its own number of nodes keeps it)")
    lines.append(f"client        {session.options.client_text()}")
    lines.append(f"seed          {session.options.seed}   rerun with: {session.rerun()}")
    return lines


def pytest_sessionstart(session: pytest.Session) -> None:
    """A cluster that someone named by its address must answer: skipping all its checks would look like success."""
    for chosen in session.config.stash[OPTIONS].targets:
        if not chosen.kind.is_ours and (lack := chosen.lack(None)) is not None:
            raise pytest.UsageError(f"harness: --target {lack}")


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each target, and for each client where several were asked for."""
    options = metafunc.config.stash[OPTIONS]
    marked = {
        name.strip()
        for marker in metafunc.definition.iter_markers("parametrize")
        for name in (marker.args[0].split(",") if isinstance(marker.args[0], str) else marker.args[0])
    }
    if "client" in metafunc.fixturenames and "client" not in marked and len(options.clients) > 1:
        metafunc.parametrize("client", options.clients, indirect=True)
    if "target" in metafunc.fixturenames:
        chosen = options.targets
        metafunc.parametrize("target", chosen, ids=[each.name for each in chosen], indirect=True, scope="session")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marks checks that ask for several nodes, for `-m several_nodes` and `-m "not several_nodes"`; --nodes changes
    nothing of that."""
    spec = asked_by(item)
    if spec.nodes + spec.controllers > 1:
        item.add_marker("several_nodes")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """By target, then by cluster, then as they were; items for no single target last."""
    order = {chosen.name: number for number, chosen in enumerate(config.stash[OPTIONS].targets)}
    specs: dict[Any, int] = {}
    shared = shared_spec(config).key()
    for item in items:
        key = key_of(item)
        if key is not None:
            specs.setdefault(key[1], len(specs) if key[1] != shared else -1)

    def rank(item: pytest.Item) -> tuple[int, int]:
        key = key_of(item)
        return (len(order), 0) if key is None else (order[key[0]], specs[key[1]])

    items.sort(key=rank)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Starts a record; a check that needs what this machine lacks is skipped, or fails where it is required."""
    session = item.config.stash[SESSION]
    session.progress.begin()
    kept = record_of(item)
    kept.started = time.monotonic()
    options = session.options
    kept.rerun = kept.rerun or as_typed(f"pytest '{kept.nodeid}' {options.for_target(kept.target)}")
    kept.version = kept.version or session.clusters.versions.get(kept.target, "")
    for marker in item.iter_markers("needs"):
        for means in marker.args:
            if (lack := _lack_of(Means(means))) is not None:
                skip_for(lack, options.required)


def _lack_of(means: Means) -> Lack | None:
    """Why this machine lacks what a check needs beside its target; None when it does not."""
    if means is Means.JAVA:
        return lack_of_java()
    if means is Means.ROOT:
        return Lack(means, "root is needed") if os.geteuid() != 0 else None
    raise ValueError(f"@pytest.mark.needs: unknown means {means!r} (known: java, root)")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turns what a check raised into its outcome and its words; stores it when it has been torn down."""
    report = yield
    session, kept = item.config.stash[SESSION], record_of(item)
    _end_progress(session, item)
    if report.skipped:
        kept.outcome, kept.skip_reason = Outcome.SKIPPED, _skip_reason(report)
        lack = lack_behind(call.excinfo.value if call.excinfo is not None else None)
        kept.lacking = "" if lack is None else lack.means
    elif report.failed and call.excinfo is not None:
        said = said_of(call.excinfo.value)
        kept.outcome = outcome_of(call.excinfo.value)
        kept.known_bug = session.known_bug(kept, said) if report.when == "call" else None
        if kept.known_bug is not None:
            kept.outcome = Outcome.KNOWN_BUG
            report.outcome, report.wasxfail = "skipped", str(kept.known_bug)  # so pytest tells of an expected failure
        session.open_folder(kept)
        ended = session.clusters.ended(key_of(item)) if kept.outcome is Outcome.UNKNOWN else ()
        kept.failure += failure_lines(kept, kept.outcome, call.excinfo.value, _where(item, call), ended)
        said = "\n".join((said, *ended))
        kept.happened = kept.happened or said
        if item.config.get_verbosity() < 2:
            report.longrepr = "\n".join(kept.failure)
    elif report.when == "call":
        kept.outcome = Outcome.OBSERVED if kept.observed_reason else Outcome.HELD
    if report.when == "teardown":
        session.store(kept)
    report.user_properties.append(outcome_property(kept.outcome))
    return report


def _end_progress(session: Session, item: pytest.Item) -> None:
    """Takes the rewritten line away, and gives pytest's own line back."""
    reporter = item.config.pluginmanager.get_plugin("terminalreporter")
    if session.progress.clear() and reporter is not None:
        reporter.currentfspath = None
        reporter.write_fspath_result(item.nodeid, "")


def _skip_reason(report: pytest.TestReport) -> str:
    found = report.longrepr
    text = str(found[2]) if isinstance(found, tuple) else str(found)
    return text.removeprefix("Skipped: ")


def _where(item: pytest.Item, call: pytest.CallInfo[None]) -> str:
    """The innermost line of a check's own file on the way to what was raised."""
    assert call.excinfo is not None
    frames = traceback.extract_tb(call.excinfo.tb)
    own = [frame for frame in frames if Path(frame.filename) == item.path] or frames[-1:]
    return f"{item.nodeid.partition('::')[0]}:{own[-1].lineno}" if own else item.nodeid


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """After a check: clusters that no later check uses are closed."""
    done = yield
    item.config.stash[SESSION].clusters.close_all_but(None if nextitem is None else key_of(nextitem))
    return done
