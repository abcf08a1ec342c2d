"""Starting a node as a process: the command `start`."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reference_broker.node import Node, Observers
from reference_broker.releases import BASELINE, Release
from reference_broker.server.clock import now
from reference_broker.server.disk import OsDisk
from reference_broker.server.garbage import SetAside
from reference_broker.server.link_filter import LinkFilter
from reference_broker.server.listener import CannotListen, Listener, bind_all
from reference_broker.server.log_lines import LogLines
from reference_broker.server.loop import Halted, Loop
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.settings.properties import text_of
from reference_broker.settings.validators import ConfigInvalid
from reference_broker.startup import start_node
from reference_broker.storage import StorageProblem, load_folders
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.refusal import KafkaError

FAILED: Final = 1
HALTED: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says besides the file."""

    overrides: Sequence[str] = ()
    log_level: str = "INFO"
    name: str = ""
    """What stands in its log lines, where several nodes share a terminal."""
    log_requests: bool = False
    link_filter: str | None = None
    """The file that says from which nodes this one is cut off, for tests."""
    release: Release = BASELINE
    """Whose answers are given."""
    on_ready: Callable[[dict[str, int]], None] = lambda bound: None
    """Told the ports of the listeners once requests are answered."""


def start(file: str, options: Options, complain: Callable[[str], None]) -> int:
    """Run a node until SIGTERM; the exit status: 0 after a stop in order, 1 when it cannot start, 3 when it halted."""
    lines = LogLines(options.log_level, options.name)
    try:
        text = text_of(Path(file).read_bytes())
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
    return _run(node, listeners, config, lines, options, complain)


def _run(
    node: Node,
    listeners: list[Listener],
    config: BrokerConfig,
    lines: LogLines,
    options: Options,
    complain: Callable[[str], None],
) -> int:
    is_ready: list[bool] = []
    set_aside = SetAside()

    def on_ready() -> None:
        # Said only now: who reads it may stop the node at once, and that must be a stop in order.
        is_ready.append(True)
        where = ", ".join(f"{one.name} at port {one.port}" for one in listeners)
        lines.log("INFO", f"node {config.node_id} of cluster {node.parts.publisher.image.cluster_id} serves {where}")
        set_aside.begin()
        options.on_ready({one.name: one.port for one in listeners})

    link_filter = LinkFilter(options.link_filter, lines.log) if options.link_filter is not None else None
    loop = Loop(node, listeners, config, lines.log, link_filter, on_ready)
    loop.stop_on_signals()
    try:
        loop.run()
    except Halted as halted:
        if not is_ready:
            complain(str(halted))
            return FAILED
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
