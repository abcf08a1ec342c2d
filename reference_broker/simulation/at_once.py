"""One node alone, whose effects are carried out at once: what is flushed is stable, and no peer can be reached."""

from __future__ import annotations

from collections.abc import Sequence

from reference_broker.effects import Close, Effect, Flush, PeerLost, Send
from reference_broker.environment import Now
from reference_broker.node import Node

STEP_MS = 10
LONGEST_MS = 60_000


def carried_out(node: Node, effects: Sequence[Effect], now: Now) -> list[Effect]:
    """Carry out flushes and requests to peers, and those that follow; the other effects, in order."""
    left: list[Effect] = []
    waiting = list(effects)
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, Flush):
            for target in one.targets:
                target.flush()
            waiting += node.settle(one.token, None, now)
        elif isinstance(one, Send):
            waiting += node.settle(one.token, PeerLost("there is no other node"), now)
        else:
            left.append(one)
    return left


def bring_to_life(node: Node, listener: str, now: Now) -> Now:
    """Have a node that is its whole cluster lead, register and serve a listener; when it does.

    ValueError, with the effects that came instead, where it does not within a minute.
    """
    effects = carried_out(node, node.take(now), now)
    end_ms = now.monotonic_ms + LONGEST_MS
    while not node.serves(listener):
        if effects or now.monotonic_ms > end_ms:
            raise ValueError(f"the node does not serve {listener}: {effects}")
        now = Now(now.wall_ms + STEP_MS, now.monotonic_ms + STEP_MS)
        effects = carried_out(node, node.on_time(now), now)
    return now


def stop(node: Node, now: Now) -> None:
    """Have it stop in order, and release its files."""
    effects = carried_out(node, node.stop(now), now)
    while not node.has_stopped and all(isinstance(one, Close) for one in effects):
        now = Now(now.wall_ms + STEP_MS, now.monotonic_ms + STEP_MS)
        effects = carried_out(node, node.on_time(now), now)
    node.close(now)
