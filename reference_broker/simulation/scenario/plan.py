"""What a scenario does, as data that follows from its seed alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from reference_broker.simulation.cluster import Layout
from reference_broker.simulation.faults import USUAL, Act, Fault, random_faults

TOPIC: Final = "t"
CLIENTS: Final = (-1, -2, -3, -4)
"""The places of a scenario's clients that faults may cut off."""
SMALL_SNAPSHOTS: Final = {
    "metadata.log.max.record.bytes.between.snapshots": "500",
    "metadata.max.retention.bytes": "1",
}
"""A snapshot of the metadata every few records, and the log before it goes: who is behind has to fetch the snapshot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One scenario. `is_durable`: each append is flushed before it counts, so any node may lose power at any time.

    Without it one loss of power is planned at most, and then no kill: as many unclean ends as min.insync.replicas leave
    nobody eligible, so that the last known leader is elected, whatever it has lost (KIP-966; seen with seed 1034).
    """

    seed: int
    forming_seed: int
    """The chance by which the cluster forms: with one layout, latency and number of partitions always the same one."""
    layout: Layout
    partitions: int
    faults: tuple[Fault, ...]
    duration_ms: int
    latency_us: tuple[int, int]
    pause_ms: int
    """How long a producer waits between batches, on the average."""
    largest_batch: int
    is_durable: bool
    core: tuple[int, ...]
    """The majority that is healed first, and must then make progress alone."""

    def with_faults(self, faults: Sequence[Fault]) -> Plan:
        """The same with other faults."""
        return replace(self, faults=tuple(faults))


def plan_of(seed: int) -> Plan:
    """The scenario of a seed."""
    chance = Random(seed)
    kind = chance.random()
    nodes, controllers = (3, 0) if kind < 0.8 else (3, 3) if kind < 0.9 else (5, 0)
    is_durable = chance.random() < 0.5
    settings = settings_of(
        session_ms=chance.choice((1000, 1000, 2000)),
        fetch_ms=chance.choice((800, 1000, 2000)),
        lag_ms=chance.choice((1000, 2000)),
    )
    if is_durable:
        settings["log.flush.interval.messages"] = "1"
    if chance.random() < 0.3:
        settings |= SMALL_SNAPSHOTS
    layout = Layout(nodes=nodes, controllers=controllers, settings=settings)
    duration_ms = chance.choice((3000, 5000, 8000))
    node_ids = sorted({*layout.broker_ids, *layout.voter_ids})
    faults = random_faults(
        chance,
        node_ids,
        duration_ms=duration_ms,
        gap_ms=chance.choice((300, 600, 1200)),
        acts=_swarm(chance),
        clients=CLIENTS,
    )
    return Plan(
        seed=seed,
        forming_seed=seed,
        layout=layout,
        partitions=chance.randrange(1, 3),
        faults=faults if is_durable else _one_loss_of_power(faults),
        duration_ms=duration_ms,
        latency_us=chance.choice(((200, 2000), (200, 2000), (500, 20_000), (50, 300))),
        pause_ms=chance.choice((20, 50, 200)),
        largest_batch=chance.choice((1, 3)),
        is_durable=is_durable,
        core=_core(chance, layout),
    )


def split_plan(seed: int) -> Plan:
    """A split that isolates one of three nodes, and its heal: the measure of speed. All begin with the same cluster."""
    chance, node = Random(seed), 1 + Random(seed).randrange(0, 3)
    settings = settings_of(session_ms=1000, fetch_ms=1000, lag_ms=2000)
    layout = Layout(nodes=3, settings=settings)
    return Plan(
        seed=seed,
        forming_seed=0,
        layout=layout,
        partitions=1,
        faults=(Fault(chance.randrange(100, 300), Act.ISOLATE, (node,)), Fault(chance.randrange(1700, 2000), Act.HEAL)),
        duration_ms=2000,
        latency_us=(200, 2000),
        pause_ms=100,
        largest_batch=3,
        is_durable=False,
        core=_core(chance, layout),
    )


def settings_of(*, session_ms: int, fetch_ms: int, lag_ms: int) -> dict[str, str]:
    """The settings of every node: how long it takes until a broker, a quorum's leader, a replica is missed."""
    return {
        "min.insync.replicas": "2",
        "broker.session.timeout.ms": str(session_ms),
        "broker.heartbeat.interval.ms": str(session_ms // 4),
        "controller.quorum.fetch.timeout.ms": str(fetch_ms),
        "controller.quorum.election.timeout.ms": str(fetch_ms // 2),
        "controller.quorum.request.timeout.ms": str(fetch_ms),
        "controller.quorum.election.backoff.max.ms": str(fetch_ms // 2),
        "replica.lag.time.max.ms": str(lag_ms),
        "replica.socket.timeout.ms": "2000",
        "controller.socket.timeout.ms": "2000",
    }


def _swarm(chance: Random) -> list[Act]:
    """Not every act in every scenario: what comes alone comes thicker."""
    acts = [act for act in dict.fromkeys(USUAL) if chance.random() < 0.6]
    kept = [act for act in USUAL if act in acts]
    undone = {
        Act.CUT: Act.HEAL,
        Act.ISOLATE: Act.HEAL,
        Act.KILL: Act.START,
        Act.CRASH: Act.START,
        Act.PAUSE: Act.RESUME,
    }
    kept += [undo for act, undo in undone.items() if act in acts and undo not in acts]
    return kept or [Act.ISOLATE, Act.HEAL]


def _one_loss_of_power(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """Where there are kills, losses of power are kills too; else the first stays, and the others go."""
    if any(fault.act is Act.KILL for fault in faults):
        return tuple(Fault(one.at_ms, Act.KILL, one.nodes) if one.act is Act.CRASH else one for one in faults)
    first = next((fault for fault in faults if fault.act is Act.CRASH), None)
    return tuple(fault for fault in faults if fault.act is not Act.CRASH or fault is first)


def _core(chance: Random, layout: Layout) -> tuple[int, ...]:
    """A majority of the voters, and of the brokers, as few as that takes."""
    voters = chance.sample(layout.voter_ids, len(layout.voter_ids) // 2 + 1)
    if not layout.controllers:
        return tuple(sorted(voters))
    return tuple(sorted([*voters, *chance.sample(layout.broker_ids, len(layout.broker_ids) // 2 + 1)]))
