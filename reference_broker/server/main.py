"""Starting a node as a process: the commands `start` and `dev`."""

from __future__ import annotations

import contextlib
import gc
import os
import random
import resource
import shutil
import socket
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reference_broker.configs import BrokerConfig, ConfigInvalid
from reference_broker.controller.decision import random_uuid
from reference_broker.node import Node, Observers
from reference_broker.properties import format_properties
from reference_broker.releases import BASELINE, Release
from reference_broker.server.clock import now
from reference_broker.server.disk import OsDisk
from reference_broker.server.listener import CannotListen, Listener, bind_all
from reference_broker.server.log_lines import LogLines
from reference_broker.server.loop import Halted, Loop
from reference_broker.startup import start_node
from reference_broker.storage import StorageProblem, load_folders
from reference_broker.storage import run as run_storage
from reference_broker.wire.primitives import MalformedRequest, uuid_text
from reference_broker.wire.refusal import KafkaError

FAILED: Final = 1
HALTED: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says besides the file."""

    overrides: Sequence[str] = ()
    log_level: str = "INFO"
    log_requests: bool = False
    release: Release = BASELINE
    """Whose answers are given."""
    on_ready: Callable[[dict[str, int]], None] = lambda bound: None
    """Told the ports of the listeners once requests are answered."""


def start(file: str, options: Options, complain: Callable[[str], None]) -> int:
    """Run a node until SIGTERM; the exit status: 0 after a stop in order, 1 when it cannot start, 3 when it halted."""
    lines = LogLines(options.log_level)
    try:
        text = Path(file).read_text(encoding="utf-8")
        config = BrokerConfig.load(text, options.overrides, socket.gethostname(), options.release)
    except OSError as error:
        complain(f"{file}: {error.strerror}")
        return FAILED
    except (ConfigInvalid, ValueError) as error:
        complain(f"{file}: {error}")
        return FAILED
    for warning in config.warnings:
        lines.log("WARN", warning)
    _allow_many_descriptors()
    listeners: list[Listener] = []
    try:
        disk = OsDisk()
        folders = load_folders(disk, config)
        for problem in folders.problems.values():
            lines.log("ERROR", problem)
        listeners = bind_all(config.listeners, config.number("socket.listen.backlog.size"))
        bound = {one.name: one.port for one in listeners}
        node = start_node(
            config=config,
            folders=folders,
            disk=disk,
            random=random.Random(os.urandom(16)),
            now=now(),
            bound=bound,
            observers=Observers(lines.log, lines.trace if options.log_requests else None),
        )
    except (StorageProblem, CannotListen, KafkaError, OSError, ValueError, MalformedRequest) as error:
        for one in listeners:
            one.raw.close()
        complain(_reason(error))
        return FAILED
    return _run(node, listeners, config, lines, lambda: options.on_ready(bound))


def _run(
    node: Node, listeners: list[Listener], config: BrokerConfig, lines: LogLines, on_ready: Callable[[], None]
) -> int:
    loop = Loop(node, listeners, config, lines.log)
    loop.stop_on_signals()
    # Said only now: who reads it may stop the node at once, and that must be a stop in order.
    where = ", ".join(f"{one.name} at port {one.port}" for one in listeners)
    lines.log("INFO", f"node {config.node_id} of cluster {node.parts.controller.image.cluster_id} serves {where}")
    gc.freeze()  # what a node is made of lives as long as it does: not to be looked through again and again
    try:
        on_ready()
        loop.run()
    except Halted as halted:
        lines.log("ERROR", f"halting: {halted}")
        return HALTED
    lines.log("INFO", "stopping: closing connections, flushing logs")
    loop.close()
    try:
        node.close(now())
    except (KafkaError, OSError) as error:
        lines.log("ERROR", f"the stop was not clean: {error}")
        return HALTED
    lines.log("INFO", "stopped")
    return 0


def _reason(error: Exception) -> str:
    """One line for a person."""
    if isinstance(error, BlockingIOError):
        return "a log folder is in use by another process (.lock): stop that one, or give this node folders of its own"
    if isinstance(error, KafkaError):
        return error.detail or error.code.name
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _allow_many_descriptors() -> None:
    """As many open files as the system lets us: each connection and each segment is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


# -- dev --------------------------------------------------------------------------------------------------------


def dev(port: int, options: Options, say: Callable[[str], None], complain: Callable[[str], None]) -> int:
    """Format a temporary folder, run a node in it, print its address, remove the folder at the end."""
    folder = Path(tempfile.mkdtemp(prefix="reference-broker-"))
    try:
        file = folder / "server.properties"
        file.write_text(format_properties(_dev_settings(port, folder / "data")), encoding="utf-8")
        chance = random.Random(os.urandom(16))
        profile = ["--profile", options.release.profile]
        arguments = ["format", "-t", uuid_text(random_uuid(chance)), "-c", str(file), "--standalone", *profile]
        status = run_storage(
            arguments, disk=OsDisk(), random=chance, now_ms=now().wall_ms, say=lambda text: None, complain=complain
        )
        if status:
            return status
        ready = Options(
            overrides=options.overrides,
            log_level=options.log_level,
            log_requests=options.log_requests,
            release=options.release,
            on_ready=lambda bound: say(f"bootstrap.servers=127.0.0.1:{bound['PLAINTEXT']}"),
        )
        return start(str(file), ready, complain)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _dev_settings(port: int, data: Path) -> dict[str, str]:
    with socket.socket() as probe:
        # The controller's port stands in the voter set before the node runs, so it cannot be left to the system.
        probe.bind(("127.0.0.1", 0))
        controller_port = probe.getsockname()[1]
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}" if port else "PLAINTEXT://127.0.0.1:0",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller_port}",
        "log.dirs": str(data),
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
    }
