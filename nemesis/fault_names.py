"""Faults as a command or a check writes them: "kill", "pause leader"."""

from __future__ import annotations

from nemesis.disk import FullDisk
from nemesis.fault import Fault
from nemesis.kill import Kill
from nemesis.node_specs import NodeSpec, node_spec_named, one
from nemesis.pause import Pause
from nemesis.restart import Restart

FAULTS: tuple[type[Kill] | type[Pause] | type[Restart] | type[FullDisk], ...] = (Kill, Pause, Restart, FullDisk)
"""Every fault, for `python -m harness list faults`."""


def fault_named(text: str, on: NodeSpec = one) -> Fault:
    """A new fault: its kind, and the nodes it strikes unless it is `on`. ValueError, with what is known, for others."""
    kind, _, where = text.strip().partition(" ")
    for fault in FAULTS:
        if fault.kind == kind:
            return fault(node_spec_named(where) if where else on)
    raise ValueError(f"there is no fault {kind!r} (known: {', '.join(fault.kind for fault in FAULTS)})")
