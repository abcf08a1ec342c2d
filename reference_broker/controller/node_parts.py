"""What settings of a running node say that no single value shows: folders, addresses and classes, in Kafka's words.

Departure: a change of `listeners` or `listener.security.protocol.map` is taken, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from reference_broker.settings import cordoned_folders
from reference_broker.settings.cordoned_folders import CORDONED

PER_ADDRESS, OVERRIDES = "max.connections.per.ip", "max.connections.per.ip.overrides"
REPORTERS: Final = "metric.reporters"
KNOWN_REPORTERS: Final = ("org.apache.kafka.common.metrics.JmxReporter",)
_LARGEST: Final = 2**31 - 1


def part_refused(settings: Mapping[str, str], folders: Sequence[str]) -> str | None:
    """What is wrong with a node's wished settings, each of its type; None for nothing. `folders` are its log.dirs."""
    if CORDONED in settings and (wrong := cordoned_folders.reason_refused(_elements(settings[CORDONED]), folders)):
        return f"requirement failed: {wrong}"
    overrides = settings.get(OVERRIDES, "").strip()
    if settings.get(PER_ADDRESS, "").strip() == "0" and not overrides:
        return f"requirement failed: {PER_ADDRESS} can be set to zero only if {OVERRIDES} property is set."
    return _overrides(overrides)


def reporters_refused(settings: Mapping[str, str]) -> str | None:
    """Why the node's metrics would not go to the wished reporters: a class that it cannot make."""
    if all(name in KNOWN_REPORTERS for name in _elements(settings.get(REPORTERS, ""))):
        return None
    return (
        f"Validation of dynamic config update of Set({REPORTERS}) failed with class "
        "class kafka.server.DynamicMetricsReporters"
    )


def _elements(text: str) -> list[str]:
    return [one.strip() for one in text.split(",")] if text.strip() else []


def _overrides(text: str) -> str | None:
    """Of `address:connections,…`."""
    entries = [entry.rpartition(":") for entry in map(str.strip, text.rstrip(",").split(","))] if text else []
    for _, colon, entry in entries:
        if not colon:
            return f"Error parsing configuration property '{OVERRIDES}': begin 0, end -1, length {len(entry)}"
    for _, _, number in entries:
        digits = number.strip()
        is_number = digits.lstrip("+-").isdecimal() and len(digits) - len(digits.lstrip("+-")) <= 1
        if not is_number or not -_LARGEST - 1 <= int(digits) <= _LARGEST:
            return f'For input string: "{digits}"'
    return None
