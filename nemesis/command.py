"""`python -m nemesis`: a whole scenario from one command, with live progress, a verdict and a report.

Exit status: 0 the promises held, 1 one was broken, 2 it cannot be run as asked, 3 nothing is proved, 130 interrupted.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from types import FrameType
from typing import Any

from harness.clients.client import library, settings_with
from harness.history.store import Run, StoreTrouble
from harness.hosts.executor import using
from harness.hosts.host import HostTrouble
from harness.judging.verdicts import Validity
from harness.runs.context import RunTrouble
from harness.runs.run import run
from harness.targets.ended_nodes import ended_nodes
from harness.targets.target import Cluster, Target, TargetTrouble, UnknownTarget, resolve
from nemesis.clock import Motion
from nemesis.fault import Fault
from nemesis.fault_names import CHANGES_OF_MEMBERSHIP, FAULTS
from nemesis.grudges import GRUDGES
from nemesis.judged import Judged
from nemesis.leadership import Change
from nemesis.live import Live
from nemesis.node_specs import NODE_SPECS
from nemesis.partition import Between
from nemesis.restore import restore
from nemesis.roll import Order
from nemesis.scenario import Scenario, parser, scenario_of
from nemesis.sequences import SEQUENCES
from nemesis.shaping import Effect
from nemesis.terminal import labelled
from reports import summary

BAD_INPUT, UNPROVEN, INTERRUPTED = 2, Validity.UNKNOWN.exit_code, 130


def main(arguments: list[str]) -> int:
    """The exit status."""
    try:
        options = parser().parse_args(arguments)
    except SystemExit as leaving:  # argparse has said what is wrong
        return int(leaving.code or 0)
    if options.list:
        print("\n".join(listed()))
        return 0
    try:
        scenario = scenario_of(options, arguments)
        target = resolve(scenario.target)
        scenario = scenario.suited_to(target)
    except (ValueError, UnknownTarget) as wrong:
        return _refuse(str(wrong))
    if trouble := _lack(scenario, target):
        return _refuse(trouble)
    return _run(scenario, target)


def listed() -> list[str]:
    """The lines of --list: faults, nodes, grudges and what they are between, effects, sequences."""
    groups: dict[str, list[tuple[str, str]]] = {
        "faults": [(fault.name + fault.words, fault.does) for fault in FAULTS],
        "nodes": [(spec.name, spec.does) for spec in NODE_SPECS],
        "grudges": [(grudge.name.replace(" ", "-"), does) for grudge, does in GRUDGES],
        "between": [(between.replace(" ", "-"), between.does) for between in Between],
        "effects on packets": [(f"{effect}:{effect.unit}", effect.does) for effect in Effect],
        "motions of clocks": [(motion, motion.does) for motion in Motion],
        "changes of leadership": [(change, change.does) for change in Change],
        "changes of membership": list(CHANGES_OF_MEMBERSHIP.items()),
        "orders of a roll": [(order.replace(" ", "-"), order.does) for order in Order],
        "sequences": [(sequence.name, sequence.does) for sequence in SEQUENCES],
    }
    width = max(len(name) for rows in groups.values() for name, _ in rows)
    lines = []
    for kind, rows in groups.items():
        lines.append(kind)
        for name, does in rows:
            lines += labelled(f"  {name}", does, at=width + 4)
    return lines


def _refuse(reason: str) -> int:
    print(f"nemesis: {' '.join(reason.split())}", file=sys.stderr)
    return BAD_INPUT


def _lack(scenario: Scenario, target: Target) -> str:
    """Why the target cannot run the scenario, found before anything is started; "" when it can."""
    if (lack := target.lack(scenario.cluster_spec)) is not None:
        return lack.reason
    for fault in _faults(scenario):
        if (lack := target.lack_for_fault(fault.kind)) is not None:
            return f"{fault.name}: {lack}"
    return ""


def _faults(scenario: Scenario) -> tuple[Fault, ...]:
    """All faults that the scenario may inject."""
    return (*scenario.faults, *(fault for spell in scenario.spells() for fault in spell.faults))


def _run(scenario: Scenario, target: Target) -> int:
    live = Live(sys.stderr)
    print("\n".join(labelled("scenario", scenario.sentence)), flush=True)
    cluster: Cluster | None = None
    try:
        with _healing_first(live):
            live.say(f"starting      {target.name}")
            cluster = target.open(replace(scenario.cluster_spec, seed=str(scenario.seed)))
            live.end(f"cluster       {cluster.version()} at {cluster.bootstrap}")
            with using(cluster.executor):
                return _run_on(scenario, target, cluster, live)
    except KeyboardInterrupt:
        live.end(f"interrupted   {_restored(cluster)}")
        return INTERRUPTED
    except TargetTrouble as trouble:
        live.end(f"unknown       {trouble}")
        return UNPROVEN
    finally:
        if cluster is not None:
            cluster.close()


def _run_on(scenario: Scenario, target: Target, cluster: Cluster, live: Live) -> int:
    for fault in _faults(scenario):
        if (lack := fault.lack(cluster)) is not None:
            return _refuse(f"{target.name}: {lack}")
    client = library(scenario.client)
    if cluster.executor.is_virtual and client.name != "raw":
        return _refuse(f"{target.name}: a simulated cluster has no sockets, and --client {client.name} needs them")
    asked = scenario.queue()
    queue = replace(asked, client=settings_with(client, asked.client))
    stored = Run.create(about=_about(scenario, target, cluster, 0.0))
    judged = Judged(scenario=scenario, version=cluster.version(), took_s=0.0)
    item = stored.item(judged.check, target.name)
    began_s = time.monotonic()
    try:
        finished = run(
            queue,
            cluster,
            client,
            writer=item.history_writer(clock_ns=cluster.executor.now_ns, started_at_ms=cluster.executor.wall_ms()),
            seed=scenario.seed,
            duration_s=scenario.run_s,
            spells=scenario.spells(),
            replicas=scenario.replicas,
            topic_config=scenario.topic_config,
            progress=live.show,
        )
        live.say("judging")
        took_s = time.monotonic() - began_s
        ended = ended_nodes(cluster.nodes)
        judged = Judged.of(scenario, queue, finished, version=cluster.version(), took_s=took_s, ended=ended)
    except (RunTrouble, KeyboardInterrupt) as trouble:
        took_s = time.monotonic() - began_s
        why = str(trouble) or "it was interrupted"
        ended = ended_nodes(cluster.nodes)
        judged = Judged(scenario=scenario, version=cluster.version(), took_s=took_s, trouble=why, ended=ended)
        if isinstance(trouble, KeyboardInterrupt):
            item.write_meta(judged.meta(queue))
            raise
    live.clear()
    item.write_meta(judged.meta(queue))
    item.write_logs(cluster.logs())
    print("\n".join(judged.lines()), flush=True)
    stored.finish(_about(scenario, target, cluster, took_s))
    try:
        summary.write(stored.path)
        print(f"report        {stored.path / summary.PAGE}")
    except (StoreTrouble, OSError) as trouble:
        print(f"report        none: {trouble}; the run is in {stored.path}")
    print(f"rerun         {scenario.rerun}", flush=True)
    return judged.validity.exit_code


@contextlib.contextmanager
def _healing_first(live: Live) -> Iterator[None]:
    """Turns Ctrl-C and SIGTERM into a KeyboardInterrupt, with a line that says so; the run heals on its way out."""

    def on_signal(number: int, frame: FrameType | None) -> None:
        live.end("interrupted   healing the faults first; Ctrl-C again stops at once and leaves them")
        raise KeyboardInterrupt

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _restored(cluster: Cluster | None) -> str:
    """What became of the faults, after an interrupt."""
    if cluster is None:
        return "nothing was running"
    try:
        with using(cluster.executor):  # simulated nodes are reached in their own world only
            return f"{restore(cluster)}; nothing was judged"
    except HostTrouble as trouble:
        return f"healing failed: {trouble}"


def _about(scenario: Scenario, target: Target, cluster: Cluster, took_s: float) -> dict[str, Any]:
    return {
        "targets": [target.name],
        "versions": {target.name: cluster.version()},
        "clients": [scenario.client],
        "seed": scenario.seed,
        "duration_s": scenario.duration_s,
        "elapsed_s": round(took_s, 3),
        "rerun": scenario.rerun,
    }
