"""The machine of a simulated node, as faults act on it."""

from __future__ import annotations

from typing import Final

from reference_broker.controller.decision import random_uuid
from reference_broker.simulation.faults import QUICK_DISK_US
from reference_broker.simulation.world import World
from reference_broker.wire.primitives import uuid_text

_META: Final = "meta.properties"
_FORMATTED: Final = (_META, "bootstrap.checkpoint")
"""What formatting leaves in a log folder."""
_DIRECTORY: Final = "directory.id="


class MachineOfWorld:
    """Process, power, clock and disk of one node (VirtualMachine)."""

    def __init__(self, world: World, node_id: int) -> None:
        self._world, self._node_id = world, node_id

    def ask_to_stop(self) -> None:
        """Asks its process to stop in order, without waiting until it has."""
        self._world.stop(self._node_id)

    def cut_power(self) -> None:
        """Ends its process, and what was not flushed is lost or torn; its peers see nothing but silence."""
        self._world.crash(self._node_id)

    def set_clock(self, ahead_s: float) -> None:
        """Sets its wall clock ahead of the right time, or back."""
        clock = self._world.nodes[self._node_id].clock
        self._world.set_clock(self._node_id, jump_ms=round(ahead_s * 1000) - clock.wall_offset_ms)

    def slow_disk(self, flush_s: tuple[float, float] | None) -> None:
        """Has each flush take a time between these; None for a quick disk again."""
        limits_us = QUICK_DISK_US if flush_s is None else (round(flush_s[0] * 1e6), round(flush_s[1] * 1e6))
        self._world.nodes[self._node_id].disk.flush_limits_us = limits_us

    @property
    def flush_s(self) -> tuple[float, float]:
        """How long a flush takes now."""
        least, most = self._world.nodes[self._node_id].disk.flush_limits_us
        return least / 1e6, most / 1e6

    def replace_disk(self) -> int:
        """Empties its log folders, with a new directory id in each. Returns how many files and folders went."""
        node, gone = self._world.nodes[self._node_id], 0
        for folder in node.config.log_dirs:
            for name in node.disk.list(folder):
                path = f"{folder}/{name}"
                if name not in _FORMATTED:
                    (node.disk.remove_tree if node.disk.is_directory(path) else node.disk.remove)(path)
                    gone += 1
            lines = node.disk.read(f"{folder}/{_META}").decode().splitlines()
            new = _DIRECTORY + uuid_text(random_uuid(node.random))
            text = "".join(f"{new if line.startswith(_DIRECTORY) else line}\n" for line in lines)
            node.disk.write_plainly(f"{folder}/{_META}", text.encode())
        node.disk.flush_all()
        return gone
