"""Runs a scenario: form a cluster, let clients and faults loose on it, heal a majority, heal all, judge.

Safety holds all the time (`invariants`); liveness begins when faults end: then the core must make progress, alone, and
after that the whole cluster, each within a bound of virtual time.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Sequence
from typing import Any, Final

from msgspec import Struct

from reference_broker.node import Node
from reference_broker.simulation.client import ConnectionLost
from reference_broker.simulation.cluster import add_cluster
from reference_broker.simulation.faults import Act, Fault, undo_all
from reference_broker.simulation.faults import plan as plan_faults
from reference_broker.simulation.invariants import watch_all
from reference_broker.simulation.scenario.administrator import Administrator
from reference_broker.simulation.scenario.caller import Caller, Waits
from reference_broker.simulation.scenario.groups import Groups
from reference_broker.simulation.scenario.ledger import Ledger, Place
from reference_broker.simulation.scenario.member import Member, Membership
from reference_broker.simulation.scenario.operation import Operation, Request
from reference_broker.simulation.scenario.other_topics import OtherTopics, place_of
from reference_broker.simulation.scenario.plan import CLIENTS, TOPIC, CutOff, Plan
from reference_broker.simulation.scenario.producer import Producer
from reference_broker.simulation.scenario.quorum import active_controller, has_removed_its_leader, missing_voter
from reference_broker.simulation.scenario.reader import Reader, final_read
from reference_broker.simulation.tasks import Promise, spawn
from reference_broker.simulation.world import InvariantBroken, World
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreateTopicsRequest,
)
from reference_broker.wire.primitives import BrokerId, TopicName

FORMING_LIMIT_MS: Final = 30_000
WHOLE_LIMIT_MS: Final = 30_000
RETRY_MS: Final = 100


def core_limit_ms(plan: Plan) -> int:
    """How long a majority may take to get on: what all nodes may take, and what it takes to find the controller.

    A broker whose controller is cut off asks that one and a bootstrap server in turn, the one server after the other,
    and waits a request timeout for each that is cut off, too. A round of all servers may come before anybody leads.
    """
    timeout_ms = int(plan.layout.settings["controller.quorum.request.timeout.ms"])
    return WHOLE_LIMIT_MS + 2 * len(plan.layout.controller_ids) * 2 * timeout_ms


class Outcome(Struct, frozen=True, kw_only=True):
    """How a scenario went. `wrong` says what is broken; None where nothing is. The same run has the same `digest`.

    What is counted is counted from the formed cluster on.
    """

    seed: int
    wrong: str | None
    digest: int
    events: int
    virtual_ms: int
    acknowledged: int
    lines: tuple[str, ...] = ()
    has_removed_its_leader: bool = False
    """Nobody can lead the quorum any more, and nothing was judged but safety: see `quorum`."""


class Stuck(AssertionError):
    """There was no progress within the bound."""


class Scenario:
    """One run of a plan."""

    def __init__(self, plan: Plan, *, is_recorded: bool = False) -> None:
        self.plan = plan
        self.world = World(plan.forming_seed, latency_us=plan.latency_us, is_recorded=is_recorded)
        add_cluster(self.world, plan.layout)
        self.logs = watch_all(self.world)
        self.ledger = Ledger(may_lose=self._may_lose)
        self._admin = Caller(self.world, plan.layout.bootstrap)
        self.places: list[Place] = [(TOPIC, index) for index in range(plan.partitions)]
        self.producers = [self._producer(self.places[index % len(self.places)]) for index in range(2)]
        self.readers = [Reader(self._caller(), self.ledger, self.logs, self.places[0])]
        self._clients: list[Producer | Reader] = [*self.producers, *self.readers]
        self.groups = Groups(self._caller, self.ledger.note_wrong, self.places)
        self.administrator = Administrator(self._caller, self.logs.unclean, plan.layout.voter_ids)
        self._running: list[Promise[Any]] = []
        self._began = (0, 0, 0)
        """Events, µs and acknowledged values before `go_on`."""
        assert self.world.places[-len(CLIENTS) :] == CLIENTS
        writers = [self._producer((topic, 0), told_as=place_of) for topic in plan.other_topics]
        self.other_topics = OtherTopics(self.world, self.ledger, writers)
        self._clients += writers

    def _caller(self) -> Caller:
        return Caller(self.world, self.plan.layout.bootstrap)

    def _producer(self, place: Place, **options: Any) -> Producer:
        """To a lasting topic, with several batches at once where the plan has that."""
        plan = self.plan
        options = options or {"in_flight": plan.in_flight}
        return Producer(
            self._caller(),
            self.ledger,
            self.logs,
            place,
            pause_ms=plan.pause_ms,
            largest_batch=plan.largest_batch,
            **options,
        )

    def _may_lose(self, place: Place, offset: int, older: int, newer: int) -> bool:
        unclean = self.logs.unclean
        if not unclean.is_permitted(place[0]):
            return False
        return unclean.may_lose((unclean.topic_id(place[0]), place[1]), offset, older, newer)

    def run(self) -> Outcome:
        """The whole of it; what goes wrong is in the outcome."""
        return self.form() or self.go_on(self.plan)

    def form(self) -> Outcome | None:
        """Only until the cluster is formed; what went wrong, or None."""
        return self._outcome_of(self._form)

    def go_on(self, plan: Plan) -> Outcome:
        """The rest of a plan that begins with this formed cluster, whichever it was formed for.

        A split that was healed, and of which nothing is wrong, leaves a formed cluster.
        """
        self.plan = plan
        self._began = (self.world.events, self.world.now_us, self.ledger.acknowledgements)
        self.world.begin_anew(plan.seed)
        return self._outcome_of(self._go_on) or self._outcome(None)

    def _go_on(self) -> None:
        self._be_safe()
        self._be_live()
        if (wrong := self._judge()) is not None:
            raise InvariantBroken(f"seed {self.plan.seed}: {wrong}")

    def _outcome_of(self, phase: Callable[[], None]) -> Outcome | None:
        wrong: str
        try:
            phase()
            return None
        except Stuck as stuck:
            if has_removed_its_leader(self.world):
                self.world.note(0, "nobody can lead the quorum any more:", str(stuck))
                return self._outcome(None, has_removed_its_leader=True)
            wrong = str(stuck)
        except InvariantBroken as broken:
            wrong = str(broken)
        except Exception as error:  # a fault of a node that it could not answer for itself, or of the simulation
            where = traceback.extract_tb(error.__traceback__)[-1]
            wrong = (
                f"seed {self.plan.seed}, at {self.world.now_us / 1000:.3f} ms: {error!r} at {where.name}:{where.lineno}"
            )
            self.world.note(0, *traceback.format_exception(error))
        return self._outcome(wrong)

    def _outcome(self, wrong: str | None, *, has_removed_its_leader: bool = False) -> Outcome:
        world, (events, began_us, acknowledged) = self.world, self._began
        return Outcome(
            seed=self.plan.seed,
            wrong=wrong,
            digest=world.network.digest,
            events=world.events - events,
            virtual_ms=(world.now_us - began_us) // 1000,
            acknowledged=self.ledger.acknowledgements - acknowledged,
            lines=tuple(world.lines),
            has_removed_its_leader=has_removed_its_leader,
        )

    # -- phases -------------------------------------------------------------------------------------------------

    def _form(self) -> None:
        for node_id in self.world.nodes:
            self.world.start(node_id)
        if self.plan.split is None:
            topic = CreatableTopic(name=TopicName(TOPIC), num_partitions=self.plan.partitions, replication_factor=-1)
        else:
            brokers = list(self.plan.layout.broker_ids)
            at = brokers.index(self._active_controller()[0]) + 1
            topic = _topic_on(TOPIC, brokers[at:] + brokers[:at])
        self._finish(self._create(self._admin, topic), FORMING_LIMIT_MS, "a topic is created")
        if self.plan.split is not None:
            self._begin_clients()
            self._await_writes(self.producers, FORMING_LIMIT_MS)
            self._end_clients()

    def _begin_clients(self) -> None:
        for client in self._clients:
            self._run(client.run())

    def _end_clients(self) -> None:
        """What is on its way may still be acknowledged, and must then be read as well."""
        for reader in self.readers:
            reader.is_stopping = True
        # A reader's last fetch is answered as soon as there is something to read: so producers stop after it.
        self._await(lambda: all(one.has_stopped for one in self.readers), WHOLE_LIMIT_MS, "every reader ends")
        for client in self._clients:
            client.is_stopping = True
        self.groups.stop()
        self._await(lambda: all(one.is_done for one in self._running), WHOLE_LIMIT_MS, "every client ends")
        self._running.clear()

    def _be_safe(self) -> None:
        """Clients write and read while faults come and go."""
        world, plan = self.world, self.plan
        self._begin_clients()
        if plan.split is not None:
            plan_faults(world, [Fault(plan.split.at_ms, Act.ISOLATE, (self._node_of(plan.split.cut_off),))])
        for membership in plan.members:
            world.after(membership.at_ms * 1000, self._join, membership)
        for operation in plan.operations:
            world.after(operation.at_ms * 1000, self._operate, operation)
        plan_faults(world, plan.faults)
        world.run_for(plan.duration_ms)

    def _node_of(self, cut_off: CutOff) -> int:
        """Who has a role in the formed cluster."""
        if cut_off is CutOff.CONTROLLER:
            return self._active_controller()[0]
        return self.logs.leading((self.logs.unclean.topic_id(TOPIC), 0))[1]

    def _join(self, membership: Membership) -> None:
        member = self.groups.join(membership, self.logs.unclean.topic_id(TOPIC))
        self._run(member.run())
        if membership.until_ms:
            self.world.after((membership.until_ms - membership.at_ms) * 1000, self._leave, member)

    def _leave(self, member: Member) -> None:
        member.is_leaving = True

    def _operate(self, operation: Operation) -> None:
        self._run(self.administrator.carry_out(operation))

    def _be_live(self) -> None:
        """The majority must get on; then all are healed, and every partition must take a write and have all replicas
        in sync."""
        world = self.world
        if self.plan.split is not None:
            self._await_writes(self.producers, core_limit_ms(self.plan))  # while the split lasts
        else:
            self._heal_to_core()
        undo_all(world, list(world.nodes))
        world.note(0, "all are healed")
        start_us = world.now_us
        self._await_writes(self.producers, WHOLE_LIMIT_MS)
        self._await(self._is_whole, WHOLE_LIMIT_MS, "every replica is in sync again")
        written = "each of the other topics is written to"
        self._await(lambda: self.other_topics.are_written(start_us), WHOLE_LIMIT_MS, written)
        self._await(lambda: self.groups.have_committed(start_us), WHOLE_LIMIT_MS, "every group commits offsets")

    def _heal_to_core(self) -> None:
        """The core is healed and must take a new topic and a write."""
        world, plan = self.world, self.plan
        nodes = self._heal_core()
        core = Caller(world, [one for one in plan.layout.bootstrap if world.network.addresses[one] in nodes])
        brokers = [node_id for node_id in plan.core if node_id in plan.layout.broker_ids]
        self._finish(
            self._create(core, _topic_on("core", brokers)),
            core_limit_ms(self.plan),
            f"the core {nodes} creates a topic",
        )
        writer = Producer(core, self.ledger, self.logs, ("core", 0), pause_ms=10, largest_batch=1)
        self._run(writer.run())
        self._await_writes([writer], core_limit_ms(self.plan))
        writer.is_stopping = True
        self.places.append(writer.place)

    def _heal_core(self) -> tuple[int, ...]:
        """Heal a majority of the voters, whoever they are by now, and of the brokers, and cut off all others.

        Where voters were removed all are healed: one whose own log says that it is removed, which others have not yet
        heard, neither asks for votes nor gives its own to a shorter log.
        """
        world = self.world
        has_removals = any(one.request is Request.REMOVE_VOTER for one in self.plan.operations)
        core = list(world.nodes) if has_removals else list(self.plan.core)
        while True:
            undo_all(world, core)
            more = missing_voter(world, core)
            if more is None:
                break
            core.append(more)
        world.network.split(core, [node_id for node_id in world.nodes if node_id not in core])
        world.note(0, "the core is healed:", *map(str, core))
        return tuple(core)

    def _await_writes(self, producers: list[Producer], limit_ms: int) -> None:
        """Each has something acknowledged that was sent from now on."""
        start_us = self.world.now_us
        for producer in producers:
            what = f"a write to {producer.place[0]}-{producer.place[1]} is acknowledged"
            self._await(lambda one=producer: one.acked_at_us > start_us, limit_ms, what)  # type: ignore[misc]

    def _is_whole(self) -> bool:
        """Whether all replicas of all partitions are in the ISR and none moves, as every node knows it."""
        return not any(
            len(one.isr) < len(one.replicas) or one.adding_replicas or one.removing_replicas
            for _, process in self.world.running()
            for topic in process.parts.publisher.image.topics
            for one in topic.partitions.values()
        )

    def _judge(self) -> str | None:
        self._end_clients()
        leader = self._active_controller()[1].parts
        image, voter_ids = leader.publisher.image, leader.quorum.voter_ids
        there = self.other_topics.there(image)
        final: dict[Place, dict[int, bytes]] = {}
        for place, told_as in ({place: place for place in self.places} | there).items():
            final[told_as] = self._finish(
                final_read(self._admin, place, WHOLE_LIMIT_MS), 2 * WHOLE_LIMIT_MS, f"{place} is read to its end"
            )
        for what, asking in self.groups.final_offsets(self._admin, self.logs.unclean.topic_id(TOPIC)):
            self._finish(asking, WHOLE_LIMIT_MS, what)
        return (
            self.ledger.judge(final)
            or self.other_topics.lost(there.values(), self.administrator.deleted)
            or self.administrator.judge(image, voter_ids, self.world.now_us)
        )

    def _active_controller(self) -> tuple[int, Node]:
        """Its node id, and its process; once there is one."""
        world = self.world
        self._await(lambda: active_controller(world) is not None, WHOLE_LIMIT_MS, "the quorum has a leader")
        found = active_controller(world)
        assert found is not None
        return found

    # -- waiting ------------------------------------------------------------------------------------------------

    def _create(self, caller: Caller, topic: CreatableTopic) -> Waits:
        """Create a topic; tried again until it is there."""
        while True:
            try:
                answer = yield from caller.call_any(
                    ApiKey.CREATE_TOPICS, CreateTopicsRequest(topics=(topic,), timeout_ms=1000)
                )
                if answer.topics[0].error_code in (ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS):
                    return
            except ConnectionLost:
                pass
            yield self.world.sleep(RETRY_MS)

    def _finish(self, task: Generator[Promise[Any], Any, Any], limit_ms: int, what: str) -> Any:
        outcome = spawn(task)
        self._await(lambda: outcome.is_done, limit_ms, what)
        try:
            return outcome.result()
        except TimeoutError as error:
            raise Stuck(str(error)) from error

    def _await(self, is_reached: Callable[[], bool], limit_ms: int, what: str) -> None:
        world = self.world
        if not world.run_until(is_reached, limit_ms):
            raise Stuck(
                f"seed {self.plan.seed}, at {world.now_us / 1000:.3f} ms: no progress: not within {limit_ms} ms: {what}"
            )
        if self.ledger.wrong is not None:
            raise InvariantBroken(f"seed {self.plan.seed}, at {world.now_us / 1000:.3f} ms: {self.ledger.wrong}")

    def _run(self, client: Generator[Promise[Any], Any, Any]) -> None:
        ended = spawn(client)
        ended.then(self._on_client_ended)
        self._running.append(ended)

    def _on_client_ended(self, outcome: Promise[Any]) -> None:
        if outcome.error is not None:
            self.world.broken(f"a client failed: {outcome.error!r}")


def _topic_on(name: str, brokers: Sequence[int]) -> CreatableTopic:
    """A topic with one partition, whose first replica is to lead."""
    assignment = CreatableReplicaAssignment(partition_index=0, broker_ids=tuple(map(BrokerId, brokers)))
    return CreatableTopic(name=TopicName(name), num_partitions=-1, replication_factor=-1, assignments=(assignment,))
