"""Effects on the packets of a link, and the shell scripts that set them: pure.

`tc netem` does all of them where the kernel has it. Elsewhere iptables drops or duplicates a share of the packets, and
a class of `tc htb` limits their rate; delay and reordering are not possible there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

HANDLE = "4b43:"
"""The handle of our queueing discipline ("KC"): a discipline has no tag, so this number marks it as ours."""
_DEFAULT, _SHAPED, _NETEM = "4b43:1", "4b43:2", "4b44:"
_UNLIMITED = "10gbit"
_QUANTUM = "60000"
_REORDER_MS = 10


class Effect(StrEnum):
    """What happens to packets."""

    LOSS = "loss"
    DELAY = "delay"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    RATE = "rate"

    @property
    def unit(self) -> str:
        """The unit of its amount."""
        return _UNITS[self][0]

    @property
    def does(self) -> str:
        """What it is, for lists."""
        return _UNITS[self][1]


_UNITS = {
    Effect.LOSS: ("%", "a share of the packets is lost"),
    Effect.DELAY: ("ms", "packets are delayed, with a second amount for the jitter; needs netem"),
    Effect.DUPLICATE: ("%", "a share of the packets is duplicated"),
    Effect.REORDER: ("%", "a share of the packets overtakes others; needs netem"),
    Effect.RATE: ("kbit/s", "at most this rate"),
}
_MOST = {Effect.LOSS: 90, Effect.DELAY: 1000, Effect.DUPLICATE: 100, Effect.REORDER: 100, Effect.RATE: 10_000_000}
WITHOUT_NETEM = (Effect.LOSS, Effect.DUPLICATE, Effect.RATE)


@dataclass(frozen=True, slots=True)
class Shape:
    """An effect and how much of it: percent of the packets, milliseconds, or kilobits a second."""

    effect: Effect
    amount: float
    jitter_ms: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.amount <= _MOST[self.effect] or not 0 <= self.jitter_ms <= self.amount:
            most = f"{_MOST[self.effect]:g} {self.effect.unit}"
            raise ValueError(f"{self}: the amount must be above 0 and at most {most}, the jitter at most the amount")

    def __str__(self) -> str:
        unit = self.effect.unit
        jitter = f" ± {self.jitter_ms:g} ms" if self.jitter_ms else ""
        return f"{self.effect} {self.amount:g}{'' if unit == '%' else ' '}{unit}{jitter}"

    @property
    def netem(self) -> tuple[str, ...]:
        """Its words for netem. Reordering needs a delay: what is not delayed overtakes."""
        if self.effect is Effect.DELAY:
            jitter = (f"{self.jitter_ms:g}ms", "distribution", "normal") if self.jitter_ms else ()
            return ("delay", f"{self.amount:g}ms", *jitter)
        if self.effect is Effect.REORDER:
            return ("delay", f"{_REORDER_MS}ms", "reorder", f"{self.amount:g}%", "50%")
        if self.effect is Effect.RATE:
            return ("rate", f"{self.amount:g}kbit")
        return (str(self.effect), f"{self.amount:g}%")

    @property
    def chance(self) -> tuple[str, ...]:
        """The match of iptables for its share of the packets."""
        return ("-m", "statistic", "--mode", "random", "--probability", f"{self.amount / 100:g}")


def loss(percent: float) -> Shape:
    """Packets are lost."""
    return Shape(Effect.LOSS, percent)


def delay(ms: float, jitter_ms: float = 0.0) -> Shape:
    """Packets come later."""
    return Shape(Effect.DELAY, ms, jitter_ms)


def duplicate(percent: float) -> Shape:
    """Packets come twice."""
    return Shape(Effect.DUPLICATE, percent)


def reorder(percent: float) -> Shape:
    """Packets overtake others."""
    return Shape(Effect.REORDER, percent)


def rate(kbit: float) -> Shape:
    """Packets are sent at most at this rate."""
    return Shape(Effect.RATE, kbit)


def shape_named(words: Sequence[str]) -> Shape:
    """From words as a command has them: ("loss", "20"), ("delay", "50", "10"). ValueError for others."""
    written = ":".join(words)
    known = ", ".join(f"{effect}:{effect.unit}" for effect in Effect)
    if not words or words[0] not in set(Effect):
        raise ValueError(f"unknown effect {written!r} (known: {known})")
    try:
        numbers = [float(word) for word in words[1:]]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2):
        raise ValueError(f"{written}: an effect is followed by its amount, a number (known: {known})")
    return Shape(Effect(words[0]), *numbers)


def shape_script(shape: Shape, destinations: Sequence[str], *, with_netem: bool) -> str:
    """A shell script that shapes what goes out to the destinations (IPv4), and nothing else.

    It fails where the device has a queueing discipline that somebody has chosen.
    """
    limit = _UNLIMITED if with_netem or shape.effect is not Effect.RATE else f"{shape.amount:g}kbit"
    lines = [
        "set -e",
        f"device=$(ip -o route get {destinations[0]} | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p')",
        f"tc qdisc add dev $device root handle {HANDLE} htb default 1",
        _class(_DEFAULT, _UNLIMITED),
        _class(_SHAPED, limit),
    ]
    if with_netem:
        lines.append(f"tc qdisc add dev $device parent {_SHAPED} handle {_NETEM} netem {' '.join(shape.netem)}")
    lines += [
        f"tc filter add dev $device parent {HANDLE} protocol ip prio 1 u32 match ip dst {address}/32 flowid {_SHAPED}"
        for address in destinations
    ]
    return "\n".join(lines)


def _class(number: str, limit: str) -> str:
    return f"tc class add dev $device parent {HANDLE} classid {number} htb rate {limit} quantum {_QUANTUM}"


REMOVE_SHAPING = f"""\
tc qdisc show | sed -n 's/^qdisc htb {HANDLE} dev \\([^ ]*\\) root .*/\\1/p' | while read -r device; do
  tc qdisc del dev $device root handle {HANDLE}
done"""
"""A shell script that removes our queueing discipline from every device; it may be run again."""

HAS_NETEM = "tc qdisc add dev lo root handle 4b45: netem delay 0ms && tc qdisc del dev lo root handle 4b45:"
"""A shell script that fails, with "kind is unknown", where the kernel has no netem."""

SHOW_SHAPING = "tc -s class show dev $(tc qdisc show | sed -n 's/^qdisc htb 4b43: dev \\([^ ]*\\) root .*/\\1/p')"
"""Prints what the classes have sent."""


def is_shaped(listing: str) -> bool:
    """Whether `tc qdisc show` lists our queueing discipline."""
    return any(line.startswith(f"qdisc htb {HANDLE} ") for line in listing.splitlines())


def packets_shaped(listing: str) -> int:
    """How many packets went through our class, from `tc -s class show`."""
    found = re.search(rf"class htb {_SHAPED} .*?Sent \d+ bytes (\d+) pkt", listing, re.DOTALL)
    return int(found.group(1)) if found else 0
