"""What a world drives: a node, or a part of one, as a machine that asks for effects and is told of their outcomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from reference_broker.effects import Outbox
from reference_broker.environment import Now
from reference_broker.simulation.disk import SimulatedDisk
from reference_broker.wire.api_keys import ApiKey


class Machine(Protocol):
    """A running node. Its `outbox` is its only way out."""

    outbox: Outbox

    def next_deadline_ms(self) -> int:
        """When `on_time` must be called at the latest, on the node's monotonic clock."""

    def on_time(self, now: Now) -> None:
        """Do what is due."""

    def on_request(self, api_key: ApiKey, request: Any, sender: int, respond: Callable[[Any], None], now: Now) -> None:
        """A request of another node; `respond` takes the response message, once, now or later."""

    def shut_down(self, now: Now) -> None:
        """Stop in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a node gets when it starts: its disk, which has what an earlier run left, and its own randomness."""

    node_id: int
    disk: SimulatedDisk
    random: Random
    log: Callable[[str, str], None]


Open = Callable[[Surroundings, Now], Machine]
"""How a node is started."""
