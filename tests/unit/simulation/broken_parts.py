"""Bugs for what must hold of groups, operations, voters, unclean elections and disks, and plans that show them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from plans import plan_with

from reference_broker.controller import partition_change
from reference_broker.controller.config_admin import ConfigAdmin
from reference_broker.controller.partition_change import Election
from reference_broker.groups.classic_group import ClassicGroup
from reference_broker.groups.offset_requests import OffsetRequests
from reference_broker.groups.offsets import Offsets
from reference_broker.groups.shard import GroupShard
from reference_broker.log import recovery
from reference_broker.log.replication import truncate_fully
from reference_broker.log.segment import Segment
from reference_broker.log.steps import Steps, done
from reference_broker.raft.voter_changes import VoterChanges
from reference_broker.replication.partition import Partition
from reference_broker.simulation.cluster import Layout
from reference_broker.simulation.faults import Act, Fault
from reference_broker.simulation.scenario.member import Membership
from reference_broker.simulation.scenario.operation import Operation, Request
from reference_broker.simulation.scenario.plan import SHORT_SESSIONS, Plan
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.refusal import KafkaError

Patch = pytest.MonkeyPatch


def one_after_the_other(seed: int) -> list[Fault]:
    """Each node is killed and started again."""
    return [
        fault
        for node in (1, 2, 3)
        for fault in (Fault(800 * node, Act.KILL, (node,)), Fault(800 * node + 600, Act.START, (node,)))
    ]


def grouped(seed: int) -> Plan:
    """Two groups whose coordinators are killed, one after the other; members come at other times."""
    plan = plan_with(seed, one_after_the_other(seed), **SHORT_SESSIONS)
    members = tuple(Membership(at_ms, group) for group in (0, 1) for at_ms in (0, 1200))
    return replace(plan, duration_ms=3500, partitions=2, members=members)


def operated(seed: int) -> Plan:
    """Topics are made, changed and deleted, and partitions move, while nodes are killed."""
    asked = (
        Operation(100, Request.CREATE, "other-0", number=2),
        Operation(200, Request.CONFIGURE, "t", number=60_000),
        Operation(600, Request.REASSIGN, "t", 0, (3, 1)),
        Operation(900, Request.GROW, "other-0", number=3),
        Operation(1500, Request.DELETE, "other-0"),
        Operation(1800, Request.REASSIGN, "t", 0, (2, 3)),
    )
    return replace(plan_with(seed, one_after_the_other(seed)), duration_ms=3500, operations=asked)


def with_other_voters(seed: int) -> Plan:
    """A controller becomes a voter, and another voter goes."""
    asked = (
        Operation(300, Request.ADD_VOTER, nodes=(4,)),
        Operation(1200, Request.REMOVE_VOTER, nodes=(1 + seed % 3,)),
    )
    plan = plan_with(seed, [])
    return replace(plan, layout=replace(plan.layout, spares=1), operations=asked)


def without_anybody_in_sync(seed: int) -> Plan:
    """The last two replicas in sync are off when the one is back that lacks what they have."""
    faults = [
        *(Fault(200, Act.KILL, (1,)), Fault(2300, Act.KILL, (2,)), Fault(4200, Act.KILL, (3,))),
        *(Fault(4300, Act.START, (1,)), Fault(6500, Act.START, (2,)), Fault(6600, Act.START, (3,))),
    ]
    plan = plan_with(seed, faults)
    layout = Layout(nodes=3, controllers=3, settings=plan.layout.settings)
    return replace(plan, layout=layout, duration_ms=7500, core=(1, 2, 4, 5))


def with_unclean_elections(seed: int) -> Plan:
    """The same, and whoever is there may lead."""
    asked = (Operation(100, Request.ALLOW_UNCLEAN, "t"),)
    return replace(without_anybody_in_sync(seed), operations=asked)


def with_a_broken_folder(seed: int) -> Plan:
    """A folder of each node in turn fails, or its disk is full, and it is mended."""
    broken = 1 + seed % 3
    faults = [
        *(Fault(300, Act.BREAK_FOLDER, (broken,), 1), Fault(900, Act.MEND_DISK, (broken,))),
        *(Fault(1300, Act.FILL_DISK, (1 + broken % 3,), 50), Fault(1800, Act.MEND_DISK, (1 + broken % 3,))),
    ]
    plan = plan_with(seed, faults)
    return replace(plan, layout=replace(plan.layout, folders=2), partitions=2)


# -- plants -----------------------------------------------------------------------------------------------------


def forgets_offsets_when_it_loads(patch: Patch) -> None:
    """A new coordinator does not know what was committed."""
    load = GroupShard.on_loaded

    def forgetful(self: GroupShard, now: Any) -> Any:
        self._offsets.restore(Offsets().mark())
        return load(self, now)

    patch.setattr(GroupShard, "on_loaded", forgetful)


def keeps_its_generation(patch: Patch) -> None:
    """A rebalance begins no generation."""
    begin = ClassicGroup.begin_generation

    def stay(self: ClassicGroup, now_ms: int) -> None:
        self.generation = 0
        begin(self, now_ms)

    patch.setattr(ClassicGroup, "begin_generation", stay)


def takes_no_commits(patch: Patch) -> None:
    """Members are told to join again, for ever."""

    def refuse(self: OffsetRequests, request: Any, ctx: Any) -> Any:
        raise KafkaError(ErrorCode.REBALANCE_IN_PROGRESS, "for ever")

    patch.setattr(OffsetRequests, "decide_commit", refuse)


def forgets_settings(patch: Patch) -> None:
    """A change of settings is answered and not written."""
    patch.setattr(ConfigAdmin, "_decide", lambda self, resource_type, name, wanted: ())


def never_ends_a_reassignment(patch: Patch) -> None:
    """The replicas that are to go stay for ever."""
    patch.setattr(partition_change, "_complete_reassignment", lambda draft: None)


def changes_no_voters(patch: Patch) -> None:
    """A change of the voters is answered and not written."""
    patch.setattr(VoterChanges, "_write", lambda self, leader, voters, now: self._member.high_watermark - 1)


def elects_uncleanly_by_itself(patch: Patch) -> None:
    """The controller elects whoever is there, whatever the settings say."""
    elected = partition_change._elected

    def any_election(partition: Any, draft: Any, election: Any, rules: Any) -> tuple[int, bool]:
        return elected(partition, draft, Election.UNCLEAN, rules)

    patch.setattr(partition_change, "_elected", any_election)


def empties_its_log_when_elected_uncleanly(patch: Patch) -> None:
    """A leader that may lack records begins with none at all."""
    update = Partition.update

    def emptied(self: Partition, image: Any, now: Any) -> None:
        if image.leader == self._local.node_id != self.leader and image.leader_recovery_state:
            truncate_fully(self.log, 0)
        update(self, image, now)

    patch.setattr(Partition, "update", emptied)


def leaves_torn_batches(patch: Patch) -> None:
    """What a full disk took of a batch stays in the log when the node starts again."""
    recover = recovery.recover_segment

    def leave(segment: Segment) -> Steps[bool]:
        with pytest.MonkeyPatch.context() as within:
            within.setattr(Segment, "cut", lambda self, position: None)
            done(recover(segment))
        yield from ()
        return True

    patch.setattr(recovery, "recover_segment", leave)


PLANTS: tuple[tuple[Callable[[Patch], None], Callable[[int], Plan], str], ...] = (
    (forgets_offsets_when_it_loads, grouped, r"node \d says that -1 is committed for t-\d, which a later commit has"),
    (keeps_its_generation, grouped, r"t-\d is owned by \S+ and \S+ in generation 1"),
    (takes_no_commits, grouped, r"no progress: not within \d+ ms: every group commits offsets"),
    (forgets_settings, operated, r"segment\.ms of t: in the end None"),
    (never_ends_a_reassignment, operated, r"no progress: not within \d+ ms: every replica is in sync again"),
    (changes_no_voters, with_other_voters, r"voter of \d: in the end (True|False)"),
    (elects_uncleanly_by_itself, without_anybody_in_sync, r"is elected uncleanly in epoch \d+, which nobody allowed"),
    (empties_its_log_when_elected_uncleanly, with_unclean_elections, r"with a log up to 0, but \d+ is committed"),
    (leaves_torn_batches, with_a_broken_folder, r"MalformedRequest"),
)
