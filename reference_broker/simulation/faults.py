"""Faults of a world as data: planned from a seed, carried out at their times, undone at the end, shrunk to the least.

Each can be carried out in any state of the world, so that a schedule stays one when some of its faults are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from random import Random
from typing import Final, TypeVar

from msgspec import Struct

from reference_broker.simulation.world import World

QUICK_DISK_US: Final = (100, 1000)
SLOW_DISK_US: Final = (20_000, 300_000)


class Act(StrEnum):
    """What a fault does to its nodes."""

    CUT = "cut"
    """All links from the first place to the others, in that one direction."""
    ISOLATE = "isolate"
    """All links between the places and the rest, clients too, in both directions."""
    HEAL = "heal"
    BREAK = "break"
    """The connections between two places."""
    CRASH = "crash"
    """Power: what was not flushed is lost."""
    KILL = "kill"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    SLOW_DISK = "slow disk"
    QUICK_DISK = "quick disk"
    BREAK_FOLDER = "break folder"
    """Of log.dirs, the one with the index `number`: nothing works in it until the disk is mended."""
    FILL_DISK = "fill disk"
    """Only `number` bytes more have room."""
    MEND_DISK = "mend disk"
    """What was broken works again; a process that has seen it fail is killed first, since it uses it no more."""
    JUMP = "jump"
    """The wall clock, by `number` ms."""
    DRIFT = "drift"
    """The monotonic clock, to `number` millionths too fast."""


class Fault(Struct, frozen=True):
    """One fault, at a time since the beginning of the schedule. `nodes` are places: clients have negative numbers."""

    at_ms: int
    act: Act
    nodes: tuple[int, ...] = ()
    number: int = 0

    def __str__(self) -> str:
        words = [f"{self.at_ms} ms", self.act.value, *map(str, self.nodes)]
        return " ".join([*words, f"by {self.number}"] if self.number else words)


USUAL: Final[tuple[Act, ...]] = (
    *(Act.CUT, Act.ISOLATE, Act.ISOLATE, Act.HEAL, Act.HEAL, Act.HEAL, Act.BREAK, Act.CRASH, Act.KILL),
    *(Act.START, Act.START, Act.START, Act.PAUSE, Act.RESUME, Act.RESUME, Act.SLOW_DISK, Act.QUICK_DISK),
    *(Act.JUMP, Act.DRIFT),
)
"""How often each act comes, as many times as it stands here."""
OF_DISKS: Final[tuple[Act, ...]] = (
    *(Act.BREAK_FOLDER, Act.BREAK_FOLDER, Act.FILL_DISK, Act.MEND_DISK, Act.MEND_DISK, Act.MEND_DISK),
    *(Act.START, Act.START, Act.START),
)
"""The same of disks that fail."""


def random_faults(
    chance: Random,
    nodes: Sequence[int],
    *,
    duration_ms: int,
    gap_ms: int,
    acts: Sequence[Act] = USUAL,
    clients: Sequence[int] = (),
) -> tuple[Fault, ...]:
    """A schedule for a time, a fault every `gap_ms` on the average. Links to `clients` are cut as those of nodes."""
    faults: list[Fault] = []
    at_ms = chance.randrange(1, 2 * gap_ms)
    while at_ms < duration_ms:
        faults.append(_random_fault(chance, chance.choice(acts), at_ms, nodes, clients))
        at_ms += chance.randrange(1, 2 * gap_ms)
    return tuple(faults)


def _random_fault(chance: Random, act: Act, at_ms: int, nodes: Sequence[int], clients: Sequence[int]) -> Fault:
    if act is Act.HEAL:
        return Fault(at_ms, act)
    if act is Act.ISOLATE:
        count = chance.randrange(1, max(2, len(nodes)))
        return Fault(at_ms, act, tuple(sorted(chance.sample([*nodes, *clients], count))))
    if act in (Act.CUT, Act.BREAK):
        return Fault(at_ms, act, tuple(chance.sample([*nodes, *clients], min(2, len(nodes)))))
    number = 0
    if act is Act.JUMP:
        number = chance.choice((-3_600_000, -1000, 1000, 3_600_000))
    elif act is Act.DRIFT:
        number = chance.choice((-50_000, -1000, 0, 1000, 50_000))
    elif act is Act.BREAK_FOLDER:
        number = chance.randrange(0, 2)
    elif act is Act.FILL_DISK:
        number = chance.choice((0, 50, 1000, 10_000))
    return Fault(at_ms, act, (chance.choice(list(nodes)),), number)


def plan(world: World, faults: Sequence[Fault]) -> None:
    """Have a schedule carried out, from now on."""
    for fault in faults:
        world.after(fault.at_ms * 1000, carry_out, world, fault)


def carry_out(world: World, fault: Fault) -> None:
    """Do to a world what a fault says; nothing where it makes no sense in the present state."""
    world.note(0, "fault:", fault.act.value, *map(str, fault.nodes))
    if fault.act is Act.HEAL:
        world.network.heal()
    elif fault.act is Act.ISOLATE:
        world.network.split(fault.nodes, [place for place in world.places if place not in fault.nodes])
    elif fault.act is Act.CUT:
        world.network.cut([(fault.nodes[0], other) for other in fault.nodes[1:]])
    elif fault.act is Act.BREAK:
        if len(fault.nodes) > 1:
            world.break_connections(*fault.nodes)
    else:
        for node_id in fault.nodes:
            _act_on(world, node_id, fault)


def _act_on(world: World, node_id: int, fault: Fault) -> None:
    node = world.nodes[node_id]
    is_running = node.process is not None
    match fault.act:
        case Act.CRASH if is_running:
            world.crash(node_id)
        case Act.KILL if is_running:
            world.kill(node_id)
        case Act.START:
            world.start(node_id)
        case Act.PAUSE if is_running:
            world.pause(node_id)
        case Act.RESUME if node.is_paused:
            world.resume(node_id)
        case Act.SLOW_DISK:
            node.disk.flush_limits_us = SLOW_DISK_US
        case Act.QUICK_DISK:
            node.disk.flush_limits_us = QUICK_DISK_US
        case Act.BREAK_FOLDER:
            folders = node.config.log_dirs
            node.disk.broken_folders[folders[fault.number % len(folders)] + "/"] = None
        case Act.FILL_DISK:
            node.disk.free = fault.number
        case Act.MEND_DISK:
            _mend_disk(world, node_id)
        case Act.JUMP:
            world.set_clock(node_id, jump_ms=fault.number)
        case Act.DRIFT:
            world.set_clock(node_id, drift_ppm=fault.number)
        case _:
            pass


def _mend_disk(world: World, node_id: int) -> None:
    """Have a disk work. A process that has seen it fail does not use it again (KIP-112): it needs another start."""
    node = world.nodes[node_id]
    has_failed = node.disk.has_failed
    if has_failed and node.process is not None:
        world.kill(node_id)
    node.disk.mend()
    if has_failed:
        world.start(node_id)


def undo_all(world: World, nodes: Sequence[int]) -> None:
    """Heal every link, and have these nodes run on disks that are quick and work, and on right clocks."""
    world.network.heal()
    for node_id in nodes:
        node = world.nodes[node_id]
        node.disk.flush_limits_us = QUICK_DISK_US
        _mend_disk(world, node_id)
        world.set_clock(node_id, drift_ppm=0)
        world.resume(node_id)
        world.start(node_id)


T = TypeVar("T")


def shrink(faults: Sequence[T], is_failing: Callable[[Sequence[T]], bool]) -> tuple[T, ...]:
    """A least part of a failing schedule that still fails: no single fault of it can be left out."""
    kept = tuple(faults)
    size = max(1, len(kept) // 2)
    while size:
        start, has_shrunk = 0, False
        while start < len(kept):
            fewer = kept[:start] + kept[start + size :]
            if is_failing(fewer):
                kept, has_shrunk = fewer, True
            else:
                start += size
        if size == 1 and not has_shrunk:
            break
        size = size // 2 if size > 1 else 1
    return kept
