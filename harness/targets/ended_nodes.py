"""Nodes that do not run although nobody wants them down: what a verdict that proves nothing must name."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable

from harness.hosts.host import HostTrouble
from harness.targets.target import Node

_GRAVE = re.compile(r"\b(ERROR|FATAL)\b")
_LATE = 50
"""Lines from the end of a log in which an error tells why its node ended."""


def ended_nodes(nodes: Iterable[Node]) -> tuple[str, ...]:
    """A sentence for each node that does not run, with the last line of its log, which begins with the time.

    The last error, where there is one near the end: a broker that halts says other things after it. A node that
    cannot be looked at is left out.
    """
    told = []
    for node in nodes:
        with contextlib.suppress(HostTrouble, OSError):
            if not node.is_alive():
                told.append(f"node {node.id} does not run; its log ends: {_last_words(node.log_text())}")
    return tuple(told)


def _last_words(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()][-_LATE:]
    grave = [line for line in lines if _GRAVE.search(line)]
    return (grave or lines or ["(nothing)"])[-1]
