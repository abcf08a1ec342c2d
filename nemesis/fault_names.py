"""Faults as a command or a check writes them: "kill", "pause leader", "partition:bridge"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from harness.hosts.faulty_disk.stored import Loss
from nemesis.broken_disk import BrokenDisk
from nemesis.broken_disk import Trouble as TroubleOfDisk
from nemesis.clock import Clock, Motion
from nemesis.damage import Damage, Damaged, How
from nemesis.disk import FullDisk, LostFolder
from nemesis.fault import Fault
from nemesis.grudges import grudge_named, isolate, isolate_one
from nemesis.kill import Kill
from nemesis.leadership import Change, Leadership
from nemesis.membership import Membership
from nemesis.node_specs import NodeSpec, node_spec_named, one, one_broker, one_voter
from nemesis.packet import Packet
from nemesis.partition import Between, Partition
from nemesis.pause import Pause
from nemesis.power import Power
from nemesis.restart import Restart
from nemesis.roll import Order, Roll
from nemesis.shaping import shape_named
from nemesis.slow_disk import SlowDisk
from nemesis.voters import Voters

CHANGES_OF_MEMBERSHIP = {
    "replace": "a node is replaced by an empty one, as after the loss of a machine",
    "voters": "controllers are removed from the quorum and added again",
}


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A kind of faults: how it is written, and what makes one."""

    name: str
    module: str
    """The file with its header: **Does**, **Needs**, **Heals**."""
    make: Callable[[NodeSpec, tuple[str, ...]], Fault]
    """(nodes, words after the colons) -> a new fault. ValueError for unknown words."""
    words: str = ""
    """What may stand after a colon."""

    @property
    def does(self) -> str:
        """The first line of its file's header."""
        return (import_module(f"nemesis.{self.module}").__doc__ or "").partition("\n")[0].rstrip(".").lower()


def _of_nodes(cls: Callable[[NodeSpec], Fault]) -> Callable[[NodeSpec, tuple[str, ...]], Fault]:
    def make(on: NodeSpec, words: tuple[str, ...]) -> Fault:
        if words:
            raise ValueError(f"this fault has no variants; leave out {':' + ':'.join(words)!r}")
        return cls(on)

    return make


TROUBLES_OF_DISKS: dict[str, Callable[[NodeSpec], Fault]] = {"full": FullDisk, "gone": LostFolder}


def _disk(on: NodeSpec, words: tuple[str, ...]) -> Fault:
    trouble = ":".join(words) or "full"
    if trouble not in TROUBLES_OF_DISKS:
        raise ValueError(f"unknown trouble {trouble!r} (known: {', '.join(TROUBLES_OF_DISKS)})")
    return TROUBLES_OF_DISKS[trouble](on)


def _broken_disk(on: NodeSpec, words: tuple[str, ...]) -> Fault:
    try:
        return BrokenDisk(on, TroubleOfDisk(":".join(words) or "error"))
    except ValueError:
        raise ValueError(f"unknown trouble {':'.join(words)!r} (known: {', '.join(TroubleOfDisk)})") from None


def _power(on: NodeSpec, words: tuple[str, ...]) -> Fault:
    try:
        return Power(on, Loss(":".join(words)) if words else None)
    except ValueError:
        raise ValueError(f"unknown loss {':'.join(words)!r} (known: {', '.join(Loss)})") from None


def _damage(on: NodeSpec, words: tuple[str, ...]) -> Fault:
    try:
        what, how = (*words, *("segment", "flip")[len(words) :])
        return Damage(on, Damaged(what), How(how))
    except ValueError:
        known = f"{', '.join(Damaged)}; then {', '.join(How)}"
        raise ValueError(f"unknown damage {':'.join(words)!r} (known: {known})") from None


def _partition(on: NodeSpec, words: tuple[str, ...]) -> Fault:
    grudge = isolate_one if on is one else isolate(on)
    between = Between.NODES
    for word in words:
        if word.replace("-", " ") in tuple(Between):
            between = Between(word.replace("-", " "))
        else:
            grudge = grudge_named(word)
    return Partition(grudge, between)


def _packet(on: NodeSpec, words: tuple[str, ...]) -> Fault:
    return Packet(shape_named(words) if words else None, on)


def _roll(on: NodeSpec, words: tuple[str, ...]) -> Fault:
    """A roll always restarts all nodes; the nodes that the command names do not apply to it."""
    try:
        return Roll(Order(" ".join(words).replace("-", " ")) if words else Order.CHANCE)
    except ValueError:
        known = ", ".join(order.replace(" ", "-") for order in Order)
        raise ValueError(f"unknown order {':'.join(words)!r} (known: {known})") from None


def _leadership(on: NodeSpec, words: tuple[str, ...]) -> Fault:
    try:
        return Leadership(Change("".join(words)) if words else Change.MOVE)
    except ValueError:
        raise ValueError(f"unknown change {':'.join(words)!r} (known: {', '.join(Change)})") from None


def _membership(on: NodeSpec, words: tuple[str, ...]) -> Fault:
    """Removing voters acts on any voter unless nodes are named: other nodes have no vote to lose."""
    change = ":".join(words) or "replace"
    if change not in CHANGES_OF_MEMBERSHIP:
        raise ValueError(f"unknown change {change!r} (known: {', '.join(CHANGES_OF_MEMBERSHIP)})")
    return Membership(on) if change == "replace" else Voters(one_voter if on is one else on)


def _clock(on: NodeSpec, words: tuple[str, ...]) -> Fault:
    """Acts on any broker unless nodes are named: the clock of a controller-only node cannot be measured."""
    try:
        motion = Motion(words[0]) if words else Motion.JUMP
        offset_s = float(words[1]) if len(words) > 1 else None
    except ValueError:
        known = f"{', '.join(Motion)}; then seconds, for instance jump:30"
        raise ValueError(f"unknown motion {':'.join(words)!r} (known: {known})") from None
    return Clock(motion, offset_s, one_broker if on is one else on)


FAULTS: tuple[FaultKind, ...] = (
    FaultKind("kill", "kill", _of_nodes(Kill)),
    FaultKind("pause", "pause", _of_nodes(Pause)),
    FaultKind("restart", "restart", _of_nodes(Restart)),
    FaultKind("disk", "disk", _disk, "[:TROUBLE]"),
    FaultKind("roll", "roll", _roll, "[:ORDER]"),
    FaultKind("membership", "membership", _membership, "[:CHANGE]"),
    FaultKind("partition", "partition", _partition, "[:GRUDGE][:BETWEEN]"),
    FaultKind("clock", "clock", _clock, "[:MOTION[:SECONDS]]"),
    FaultKind("leadership", "leadership", _leadership, "[:CHANGE]"),
    FaultKind("packet", "packet", _packet, "[:EFFECT:AMOUNT]"),
    FaultKind("power", "power", _power, "[:LOSS]"),
    FaultKind("slow-disk", "slow_disk", _of_nodes(SlowDisk)),
    FaultKind("damage", "damage", _damage, "[:FILE[:HOW]]"),
    FaultKind("broken-disk", "broken_disk", _broken_disk, "[:TROUBLE]"),
)
"""Every fault, for `list faults`."""


def fault_named(text: str, on: NodeSpec = one) -> Fault:
    """A new fault from "KIND", "KIND NODES" or "KIND:WORD:…"; it acts on `on` unless the text names nodes.

    ValueError, with the known names, for an unknown one.
    """
    written, _, where = text.strip().partition(" ")
    name, *words = written.split(":")
    for kind in FAULTS:
        if kind.name == name:
            try:
                return kind.make(node_spec_named(where) if where else on, tuple(words))
            except ValueError as trouble:
                raise ValueError(f"{text}: {trouble}") from trouble
    raise ValueError(f"unknown fault {name!r} (known: {', '.join(kind.name for kind in FAULTS)})")
