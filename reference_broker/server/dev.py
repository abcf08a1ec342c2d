"""The command `dev`: nodes on a temporary folder, which goes with them.

One node runs in this process. Several are forked from it, each with its own folder and log lines; they share the
broker's compiled code, so that the cluster is there in about a second.
"""

from __future__ import annotations

import ctypes
import os
import random
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from reference_broker.command_line import as_typed
from reference_broker.controller.decision import random_uuid
from reference_broker.releases import BASELINE
from reference_broker.server.clock import now
from reference_broker.server.disk import OsDisk
from reference_broker.server.main import FAILED, Options, start
from reference_broker.settings.properties import format_properties
from reference_broker.storage import run as run_storage
from reference_broker.wire.primitives import uuid_text

HOST: Final = "127.0.0.1"
READY_TIMEOUT_S: Final = 30.0
STOP_TIMEOUT_S: Final = 15.0
SESSION_TIMEOUT_MS: Final = 1_000
"""Kafka's default is 9 s; a developer who kills a node does not want to wait that long."""
ELECTION_TIMEOUT_MS: Final = 250
"""Kafka's default is 1 s: nodes that start wait once or twice as long before the first of them stands for election."""
FETCH_TIMEOUT_MS: Final = 1_000
"""How long the active controller may be silent until the others elect another; Kafka's default is 2 s."""
_PR_SET_PDEATHSIG: Final = 1
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """One node before it is started."""

    id: int
    port: int
    controller_port: int
    folder: Path

    @property
    def file(self) -> Path:
        """Its server.properties."""
        return self.folder / f"server-{self.id}.properties"

    @property
    def data(self) -> Path:
        """Its log folder."""
        return self.folder / f"data-{self.id}"


def dev(nodes: int, port: int, options: Options, say: Say, complain: Say) -> int:
    """Format a temporary folder, run the nodes in it, print the bootstrap line, remove the folder at the end.

    Clients find node n at port + n - 1; port 0 picks free ones. The exit status.
    """
    folder = Path(tempfile.mkdtemp(prefix="reference-broker-"))
    try:
        plans = _plans(nodes, port, folder)
        cluster_id = uuid_text(random_uuid(random.Random(os.urandom(16))))
        directories = [uuid_text(random_uuid(random.Random(os.urandom(16)))) for _ in plans]
        for plan in plans:
            plan.file.write_text(format_properties(_settings(plan, plans)), encoding="utf-8")
            if status := _format(plan, plans, directories, cluster_id, options, complain):
                return status
        if len(plans) > 1:
            return _run_all(plans, options, say, complain)
        only = plans[0]

        def on_ready(bound: Mapping[str, int]) -> None:
            _tell([replace(only, port=bound["PLAINTEXT"])], [os.getpid()], say)

        return start(str(only.file), replace(options, on_ready=on_ready), complain)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tell(plans: Sequence[_Plan], processes: Sequence[int], say: Say) -> None:
    """Where clients find the nodes, and which process and folder is whose, for somebody who kills one of them."""
    say(f"bootstrap.servers={','.join(f'{HOST}:{plan.port}' for plan in plans)}")
    for plan, process in zip(plans, processes, strict=True):
        say(f"node {plan.id}   listener {HOST}:{plan.port}   pid {process}   data {plan.data}")


def _plans(nodes: int, port: int, folder: Path) -> list[_Plan]:
    with ExitStack() as held:

        def free_port() -> int:
            probe = held.enter_context(socket.socket())
            probe.bind((HOST, 0))
            return int(probe.getsockname()[1])

        # The ports stand in the voter set and in other nodes' settings, so they cannot be left to the system.
        is_left = not port and nodes == 1
        return [
            _Plan(
                id=number + 1,
                port=0 if is_left else port + number if port else free_port(),
                controller_port=free_port(),
                folder=folder,
            )
            for number in range(nodes)
        ]


def _settings(plan: _Plan, plans: list[_Plan]) -> dict[str, str]:
    replicas, in_sync = min(3, len(plans)), 2 if len(plans) >= 3 else 1
    settings = {
        "process.roles": "broker,controller",
        "node.id": str(plan.id),
        "listeners": f"PLAINTEXT://{HOST}:{plan.port},CONTROLLER://{HOST}:{plan.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{plan.port}",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.bootstrap.servers": ",".join(f"{HOST}:{one.controller_port}" for one in plans),
        "log.dirs": str(plan.data),
        "offsets.topic.replication.factor": str(replicas),
        "transaction.state.log.replication.factor": str(replicas),
        "transaction.state.log.min.isr": str(in_sync),
        "share.coordinator.state.topic.replication.factor": str(replicas),
        "share.coordinator.state.topic.min.isr": str(in_sync),
        "group.initial.rebalance.delay.ms": "0",
        "broker.session.timeout.ms": str(SESSION_TIMEOUT_MS),
        "broker.heartbeat.interval.ms": str(SESSION_TIMEOUT_MS // 5),
    }
    if len(plans) > 1:
        settings["default.replication.factor"] = str(replicas)
        settings["controller.quorum.election.timeout.ms"] = str(ELECTION_TIMEOUT_MS)
        settings["controller.quorum.fetch.timeout.ms"] = str(FETCH_TIMEOUT_MS)
    return settings


def _format(
    plan: _Plan, plans: list[_Plan], directories: list[str], cluster_id: str, options: Options, complain: Say
) -> int:
    voters = ",".join(
        f"{one.id}@{HOST}:{one.controller_port}:{directory}" for one, directory in zip(plans, directories, strict=True)
    )
    quorum = ["--standalone"] if len(plans) == 1 else ["--initial-controllers", voters]
    arguments = ["format", "-t", cluster_id, "-c", str(plan.file), *quorum, "--profile", options.release.profile]
    chance = random.Random(os.urandom(16))
    return run_storage(
        arguments, disk=OsDisk(), random=chance, now_ms=now().wall_ms, say=lambda text: None, complain=complain
    )


# -- several nodes ------------------------------------------------------------------------------------------------


def _run_all(plans: list[_Plan], options: Options, say: Say, complain: Say) -> int:
    """Run every node in a process of its own until a signal, or until one ends by itself."""
    asked_to_stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: asked_to_stop.append(number))
    signal.signal(signal.SIGINT, lambda number, frame: asked_to_stop.append(number))
    children: dict[int, _Plan] = {}
    ready_read, ready_write = os.pipe()
    try:
        for plan in plans:
            children[_fork(plan, options, ready_write, complain)] = plan
        os.close(ready_write)
        missing = _wait_ready(ready_read, len(plans), asked_to_stop)
        if missing and not asked_to_stop:
            complain(f"{missing} of {len(plans)} nodes did not start; --log-level INFO shows why")
            return FAILED
        if not missing:
            _tell(list(children.values()), list(children), say)
        return _wait_end(children, asked_to_stop, options, complain)
    finally:
        os.close(ready_read)
        _stop_all(children, majority=len(plans) // 2 + 1)


def _fork(plan: _Plan, options: Options, ready_write: int, complain: Say) -> int:
    """The id of a process that runs a node; it ends with its parent."""
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    status = FAILED
    try:
        os.setpgid(0, 0)  # Ctrl-C goes to the parent, which stops all in order
        if sys.platform == "linux":
            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == parent:

            def on_ready(bound: Mapping[str, int]) -> None:
                os.write(ready_write, b"+")

            own = replace(options, on_ready=on_ready, name=f"node {plan.id}")
            status = start(str(plan.file), own, lambda text: complain(f"{plan.id}: {text}"))
    finally:
        with suppress(OSError):
            sys.stderr.flush()
        os._exit(status)


def _wait_ready(ready_read: int, wanted: int, asked_to_stop: list[int]) -> int:
    """Wait until every node serves; how many do not."""
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    while wanted and not asked_to_stop and time.monotonic() < deadline_s:
        readable, _, _ = select.select([ready_read], [], [], 0.1)
        if readable:
            said = os.read(ready_read, wanted)
            if not said:
                break  # every node has ended
            wanted -= len(said)
    return wanted


def _wait_end(children: dict[int, _Plan], asked_to_stop: list[int], options: Options, complain: Say) -> int:
    """Wait for a signal; a node that ends before is told, and the others go on."""
    while not asked_to_stop and children:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child in children:
            plan = children.pop(child)
            again = as_typed("reference_broker start", str(plan.file), *_words(options))
            complain(f"node {plan.id} {_ending(os.waitstatus_to_exitcode(status))}; start it again with: {again}")
        else:
            time.sleep(0.1)
    return 0 if asked_to_stop else FAILED


def _ending(code: int) -> str:
    """ "was ended by SIGKILL", or "ended with status 3"."""
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"


def _words(options: Options) -> list[str]:
    """The options of `start` that say what these do."""
    overrides = [word for one in options.overrides for word in ("--override", one)]
    profile = [] if options.release is BASELINE else ["--profile", options.release.profile]
    return [*overrides, *profile, "--log-level", options.log_level]


def _stop_all(children: dict[int, _Plan], majority: int) -> None:
    """SIGTERM to all at once, SIGKILL to those that have not ended in time.

    A node that leads the quorum waits at its end for another that could lead, as Kafka's does: four seconds. Once too
    few are left for that it is killed; its data goes in any case.
    """
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGTERM)
    deadline_s = time.monotonic() + STOP_TIMEOUT_S
    while children:
        for child in list(children):
            ended, _ = os.waitpid(child, os.WNOHANG)
            if ended:
                del children[child]
            elif time.monotonic() >= deadline_s or len(children) < majority:
                os.kill(child, signal.SIGKILL)
        time.sleep(0.02)
