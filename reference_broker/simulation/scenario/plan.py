"""What a scenario does, as data that follows from its seed alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random
from typing import Final

from msgspec import Struct

from reference_broker.simulation.cluster import Layout
from reference_broker.simulation.faults import OF_DISKS, USUAL, Act, Fault, random_faults
from reference_broker.simulation.scenario.member import Membership
from reference_broker.simulation.scenario.operation import (
    OTHER_TOPICS,
    PARTITION_REQUESTS,
    TOPIC_REQUESTS,
    UNCLEAN_REQUESTS,
    VOTER_REQUESTS,
    Operation,
    Request,
    random_operations,
)

TOPIC: Final = "t"
CLIENTS: Final = (-1, -2, -3, -4)
"""The places of a scenario's clients that faults may cut off."""
SMALL_SNAPSHOTS: Final = {
    "metadata.log.max.record.bytes.between.snapshots": "500",
    "metadata.max.retention.bytes": "1",
}
"""A snapshot of the metadata every few records, and the log before it goes: who is behind has to fetch the snapshot."""


MOST_IN_FLIGHT: Final = 5
"""Batches of an idempotent producer: a broker knows so many of each again."""
PIPELINED: Final = 0.3
"""In how many scenarios producers send several batches at once."""
GROUPS: Final = 2
SHORT_SESSIONS: Final = {"group.min.session.timeout.ms": "500"}
"""Members may say that they are missed soon."""
OF_SPARES: Final = tuple(act for act in USUAL if act not in (Act.CUT, Act.BREAK))


class CutOff(StrEnum):
    """Who is alone in a split."""

    CONTROLLER = "controller"
    LEADER = "leader"
    """Of the first partition."""


class Split(Struct, frozen=True):
    """One node is cut off from all others and from all clients, some time after the clients are at work."""

    at_ms: int
    cut_off: CutOff


Step = Fault | Operation | Membership
"""What a scenario goes on without."""


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
    in_flight: int = 1
    """How many batches a producer sends at once, at most."""
    is_durable: bool
    core: tuple[int, ...]
    """The majority that is healed first, and must then make progress alone."""
    operations: tuple[Operation, ...] = ()
    members: tuple[Membership, ...] = ()
    other_topics: tuple[str, ...] = ()
    """Topics that come and go, each with a producer that writes to it whenever it is there."""
    split: Split | None = None
    """That alone, in a formed cluster with clients at work: the majority must go on while it lasts."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """All that may be left out of it: faults, operations, members of groups."""
        return (*self.faults, *self.operations, *self.members)

    def with_steps(self, steps: Sequence[Step]) -> Plan:
        """The same with a part of its steps."""
        return replace(
            self,
            faults=tuple(step for step in steps if isinstance(step, Fault)),
            operations=tuple(step for step in steps if isinstance(step, Operation)),
            members=tuple(step for step in steps if isinstance(step, Membership)),
        )


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
    faults = random_faults(
        chance,
        layout.node_ids,
        duration_ms=duration_ms,
        gap_ms=chance.choice((300, 600, 1200)),
        acts=_swarm(chance),
        clients=CLIENTS,
    )
    usual = Plan(
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
    plan = _with_parts(usual, Random(f"{seed}, parts"))
    return replace(plan, in_flight=MOST_IN_FLIGHT) if Random(f"{seed}, in flight").random() < PIPELINED else plan


PARTS: Final = (
    ("groups", 0.25),
    ("partitions", 0.2),
    ("topics", 0.2),
    ("voters", 0.15),
    ("unclean elections", 0.15),
    ("disks", 0.2),
)
"""What some scenarios have beside faults, producers and readers, and how many of them."""


def _with_parts(plan: Plan, chance: Random) -> Plan:
    """The same plan with some of the parts. Their chance is their own, so that the rest of the plan is as without."""
    parts = [name for name, share in PARTS if chance.random() < share]
    if "disks" in parts:
        plan = _with_disks(plan, chance)
    if "unclean elections" in parts:
        plan = _with_nobody_in_sync(plan, chance)
    if "voters" in parts:
        plan = _with_voters(plan, chance)
    if "groups" in parts:
        plan = _with_groups(plan, chance)
    requests = [
        *(PARTITION_REQUESTS if "partitions" in parts else ()),
        *(TOPIC_REQUESTS if "topics" in parts else ()),
        *(UNCLEAN_REQUESTS if "unclean elections" in parts else ()),
        *(VOTER_REQUESTS if "voters" in parts else ()),
    ]
    if not requests:
        return plan
    operations = random_operations(
        chance,
        requests,
        topic=TOPIC,
        partitions=plan.partitions,
        brokers=plan.layout.broker_ids,
        controllers=plan.layout.controller_ids,
        duration_ms=plan.duration_ms,
        gap_ms=chance.choice((200, 400, 800)),
    )
    return replace(
        plan,
        operations=_with_few_removals(operations, len(plan.layout.voter_ids) - 1),
        other_topics=OTHER_TOPICS if "topics" in parts else (),
    )


def _with_few_removals(operations: Sequence[Operation], most: int) -> tuple[Operation, ...]:
    """Without the removals of voters beyond a number: one voter stays, and the last removal may be of a leader of two.

    Where that one then ends too soon nobody can lead any more, as with Kafka: see `quorum`.
    """
    removals = [one for one in operations if one.request is Request.REMOVE_VOTER]
    return tuple(one for one in operations if one not in removals[most:])


def _with_more_faults(plan: Plan, chance: Random, nodes: Sequence[int], acts: Sequence[Act]) -> Plan:
    gap_ms = chance.choice((400, 800, 1600))
    more = random_faults(chance, nodes, duration_ms=plan.duration_ms, gap_ms=gap_ms, acts=acts)
    return replace(plan, faults=tuple(sorted((*plan.faults, *more), key=lambda fault: fault.at_ms)))


def _with_disks(plan: Plan, chance: Random) -> Plan:
    """Disks fail; most nodes have two of them."""
    layout = replace(plan.layout, folders=chance.choice((1, 2, 2)))
    plan = _with_more_faults(replace(plan, layout=layout), chance, layout.node_ids, OF_DISKS)
    return plan if plan.is_durable else replace(plan, faults=_one_loss_of_power(plan.faults))


def _with_nobody_in_sync(plan: Plan, chance: Random) -> Plan:
    """All brokers go one after the other, and the first is back before the others: it lacks what they have.

    It needs controllers beside them: those that are left must elect it.
    """
    layout = plan.layout if plan.layout.controllers else replace(plan.layout, nodes=3, controllers=3)
    gap_ms = chance.randrange(1000, 2500)
    first, *others = chance.sample(layout.broker_ids, 3)
    started_ms = chance.randrange(100, 500)
    faults = [Fault(started_ms, Act.KILL, (first,))]
    for broker in others:
        started_ms += gap_ms
        faults.append(Fault(started_ms, Act.KILL, (broker,)))
    faults.append(Fault(started_ms + 100, Act.START, (first,)))
    faults += [Fault(started_ms + 100 + chance.randrange(1000, 4000), Act.START, (broker,)) for broker in others]
    # Of the faults that there were, a part: all of them would often leave nothing to elect.
    places = {*layout.node_ids, *CLIENTS}
    kept = [fault for fault in plan.faults if set(fault.nodes) <= places and chance.random() < 0.5]
    everything = sorted((*kept, *faults), key=lambda fault: fault.at_ms)
    return replace(
        plan,
        layout=layout,
        core=_core(chance, layout),
        duration_ms=max(plan.duration_ms, everything[-1].at_ms + 500),
        faults=tuple(everything) if plan.is_durable else _one_loss_of_power(everything),
    )


def _with_voters(plan: Plan, chance: Random) -> Plan:
    """Controllers that may become voters. They come and go, also without power: what they have is always flushed."""
    layout = replace(plan.layout, spares=chance.randrange(1, 3))
    return _with_more_faults(replace(plan, layout=layout), chance, layout.spare_ids, OF_SPARES)


def _with_groups(plan: Plan, chance: Random) -> Plan:
    layout = replace(plan.layout, settings={**plan.layout.settings, **SHORT_SESSIONS})
    members = []
    for group in range(chance.randrange(1, GROUPS + 1)):
        for _ in range(chance.randrange(1, 4)):
            at_ms = chance.choice((0, 0, chance.randrange(0, plan.duration_ms)))
            is_leaving = chance.random() < 0.3
            until_ms = chance.randrange(at_ms + 1, plan.duration_ms + 2) if is_leaving else 0
            members.append(Membership(at_ms, group, until_ms))
    return replace(plan, layout=layout, members=tuple(members))


SPLIT_FORMING_SEED: Final = 0
FEW_SIGNS_OF_LIFE: Final = {"broker.heartbeat.interval.ms": "500", "metadata.max.idle.interval.ms": "5000"}
"""Two heartbeats in a session, and no records of the controller that say nothing: they would be half of all events."""
SPLITS_IN_A_LIFE: Final = 8
"""So many seeds are splits of one cluster, one after the other."""
NOTICED_MS: Final = 50
"""What comes later than this after a split was not on its way when it began."""


def life_up_to(seed: int) -> range:
    """The splits that a cluster has lived through when that of a seed is healed."""
    return range(seed - seed % SPLITS_IN_A_LIFE, seed + 1)


def split_plan(seed: int) -> Plan:
    """A split and its heal, the measure of speed.

    Three nodes of which each is a controller and a broker, one partition with three replicas, two idempotent producers
    with acks=all and a reader. It begins with a cluster that is formed and whole, and has lived through the splits of
    the seeds before it in its life. Clients go to work; then the controller or the partition's leader (two nodes, at
    first) is cut off from the others and the clients. The split is healed as soon as each producer has had a write
    acknowledged while it lasted: another one leads by then, or the ISR has shrunk. After it each has another one
    acknowledged, and all three replicas are in sync. In the end all that was acknowledged and read in the life of the
    cluster is compared with the whole partition. The invariants of any scenario are looked at after every event.
    """
    chance = Random(seed)
    split = Split(at_ms=chance.randrange(1, 200), cut_off=chance.choice(tuple(CutOff)))
    settings = settings_of(session_ms=1000, fetch_ms=800, lag_ms=1000) | FEW_SIGNS_OF_LIFE
    layout = Layout(nodes=3, settings=settings)
    return Plan(
        seed=seed,
        forming_seed=SPLIT_FORMING_SEED,
        layout=layout,
        partitions=1,
        faults=(),
        duration_ms=split.at_ms + NOTICED_MS,
        latency_us=(200, 2000),
        pause_ms=100,
        largest_batch=3,
        is_durable=False,
        core=layout.voter_ids,
        split=split,
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
    if any(fault.act in (Act.KILL, *OF_DISKS) and fault.act is not Act.START for fault in faults):
        return tuple(Fault(one.at_ms, Act.KILL, one.nodes) if one.act is Act.CRASH else one for one in faults)
    first = next((fault for fault in faults if fault.act is Act.CRASH), None)
    return tuple(fault for fault in faults if fault.act is not Act.CRASH or fault is first)


def _core(chance: Random, layout: Layout) -> tuple[int, ...]:
    """A majority of the voters, and of the brokers, as few as that takes."""
    voters = chance.sample(layout.voter_ids, len(layout.voter_ids) // 2 + 1)
    if not layout.controllers:
        return tuple(sorted(voters))
    return tuple(sorted([*voters, *chance.sample(layout.broker_ids, len(layout.broker_ids) // 2 + 1)]))
