"""The one way to change a partition: from what it is and what it shall become to the record that changes it.

All deciders use it: elections, ISR changes, reassignments, folders, brokers that come and go. It elects the leader,
keeps the eligible leader replicas, ends a reassignment that is complete, and says when a leader epoch must begin.
Of KIP-966 this is what Kafka 4.3.1 has: eligible leader replicas, and the last leader, which leads again where nobody
is in sync or eligible. unclean.recovery.strategy, and the search for the longest log among all replicas that goes with
it, are not in it.

Source: KIP-631, KIP-455 (reassignments), KIP-704 (recovery), KIP-858 (folders), KIP-966 (eligible leader replicas).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

from reference_broker.metadata.topics import NO_LEADER, PartitionImage
from reference_broker.wire.messages.partition_change_record import PartitionChangeRecord
from reference_broker.wire.primitives import ZERO_UUID, BrokerId, Uuid

RECOVERED: Final = 0
RECOVERING: Final = 1
"""Leader recovery states (KIP-704): RECOVERING was elected without the certainty that it has all records."""

Replicas = tuple[int, ...]


class Election(Enum):
    """Which replicas may be elected."""

    PREFERRED = auto()
    """The first replica where it is in sync; else the leader stays, or another replica in sync leads."""
    ONLINE = auto()
    """The leader stays where it is in sync; else the first replica in sync leads."""
    UNCLEAN = auto()
    """As ONLINE; where nobody is in sync, the first replica that is alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a partition shall become. What is None stays; the leader follows from the rest."""

    isr: Replicas | None = None
    replicas: Replicas | None = None
    removing: Replicas | None = None
    adding: Replicas | None = None
    recovery_state: int | None = None
    election: Election = Election.ONLINE
    without_trust: int | None = None
    """A broker that stopped uncleanly: it may have lost records, so it is eligible no longer."""
    directories: Mapping[int, Uuid] = field(default_factory=dict)
    """Broker id -> the folder of its replica."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds for a change beside the partition itself.

    `min_isr` is the smallest ISR that accepts acks=all, at most the replication factor. `is_acceptable` says whether a
    replica's broker may lead now, `default_directory` where a broker puts a new replica.
    """

    min_isr: int
    has_elr: bool
    has_directories: bool
    is_epoch_raised_by_shrinking: bool
    is_acceptable: Callable[[int], bool]
    default_directory: Callable[[int], Uuid]


@dataclass(slots=True)
class _Draft:
    """A partition on its way to the target."""

    isr: Replicas
    elr: Replicas
    replicas: Replicas
    removing: Replicas
    adding: Replicas
    leader: int
    is_unclean: bool = False


def change(topic_id: Uuid, partition: PartitionImage, target: Target, rules: Rules) -> PartitionChangeRecord | None:
    """The record that brings a partition as near to the target as can be; None where that changes nothing."""
    draft = _Draft(
        isr=_chosen(target.isr, partition.isr),
        elr=partition.elr,
        replicas=_chosen(target.replicas, partition.replicas),
        removing=_chosen(target.removing, partition.removing_replicas),
        adding=_chosen(target.adding, partition.adding_replicas),
        leader=partition.leader,
    )
    _complete_reassignment(draft)
    if rules.has_elr:
        draft.elr = _eligible(partition, draft, rules, target.without_trust)
    _elect(partition, draft, target.election, rules)
    fields = _leader_fields(partition, draft, rules)
    fields |= _recovery(partition, draft, target)
    fields |= _assignment(partition, draft, target, rules)
    if not fields:
        return None
    return PartitionChangeRecord(partition_id=partition.index, topic_id=topic_id, **fields)


def _chosen(wanted: Replicas | None, known: Replicas) -> Replicas:
    return known if wanted is None else wanted


def _ids(replicas: Sequence[int]) -> tuple[BrokerId, ...]:
    return tuple(map(BrokerId, replicas))


# -- reassignments -------------------------------------------------------------------------------------------------


def _complete_reassignment(draft: _Draft) -> None:
    """End a reassignment once all replicas that it adds are in sync, and somebody who stays is.

    One that makes the partition smaller ends when all who stay are in sync, so that the ISR does not shrink by it.
    """
    if not draft.removing and not draft.adding:
        return
    isr = _without(draft.isr, draft.removing)
    replicas = _without(draft.replicas, draft.removing)
    awaited = replicas if len(draft.adding) < len(draft.removing) else draft.adding
    is_served = bool(isr and replicas) or not draft.removing
    if is_served and all(one in isr for one in awaited) and all(one in isr for one in draft.adding):
        draft.isr, draft.replicas, draft.removing, draft.adding = isr, replicas, (), ()


def _without(replicas: Replicas, left_out: Sequence[int]) -> Replicas:
    return tuple(one for one in replicas if one not in left_out)


# -- eligible leader replicas --------------------------------------------------------------------------------------


def _eligible(partition: PartitionImage, draft: _Draft, rules: Rules, without_trust: int | None) -> Replicas:
    """Who is eligible to lead beside the ISR: those that left it while it was smaller than min.insync.replicas.

    No record is acknowledged to acks=all by so small an ISR, so each of them has all that is committed.
    """
    if len(draft.isr) >= rules.min_isr:
        return ()
    known = sorted(dict.fromkeys((*partition.elr, *partition.isr)))
    elr = tuple(one for one in known if one not in draft.isr and one in draft.replicas and one != without_trust)
    return partition.elr if sorted(elr) == sorted(partition.elr) else elr


# -- elections -----------------------------------------------------------------------------------------------------


def _elect(partition: PartitionImage, draft: _Draft, election: Election, rules: Rules) -> None:
    draft.leader, draft.is_unclean = _elected(partition, draft, election, rules)
    if draft.leader == partition.leader:
        draft.is_unclean = False
    elif draft.is_unclean:
        draft.isr, draft.elr = (draft.leader,), ()
    elif draft.leader in draft.elr:
        draft.isr, draft.elr = (draft.leader,), _without(draft.elr, (draft.leader,))


def _elected(partition: PartitionImage, draft: _Draft, election: Election, rules: Rules) -> tuple[int, bool]:
    """(leader, whether it may lack records). Without anybody who may lead: NO_LEADER."""
    trusted = draft.isr or draft.elr
    candidates = [one for one in draft.replicas if one in trusted and rules.is_acceptable(one)]
    if election is Election.PREFERRED and draft.replicas[0] in candidates:
        return draft.replicas[0], False
    if partition.leader in trusted and rules.is_acceptable(partition.leader):
        return partition.leader, False
    if candidates:
        return candidates[0], False
    if _may_elect_last_known(partition, draft, rules):
        return partition.last_known_elr[0], True
    if election is Election.UNCLEAN:
        for one in draft.replicas:
            if rules.is_acceptable(one):
                return one, True
    return NO_LEADER, False


def _may_elect_last_known(partition: PartitionImage, draft: _Draft, rules: Rules) -> bool:
    """Whether the last leader may lead again after all eligible replicas have lost their trust."""
    if not rules.has_elr or draft.isr or draft.elr or len(partition.last_known_elr) != 1:
        return False
    return rules.is_acceptable(partition.last_known_elr[0])


# -- the record ----------------------------------------------------------------------------------------------------


def _leader_fields(partition: PartitionImage, draft: _Draft, rules: Rules) -> dict[str, Any]:
    """Leader, ISR and eligible replicas. A leader in the record begins a leader epoch, also where it stays the same."""
    fields: dict[str, Any] = {}
    elr = draft.elr if rules.has_elr and not draft.is_unclean else ()
    if elr != partition.elr:
        fields["eligible_leader_replicas"] = _ids(elr)
    # Only with eligible leader replicas may the ISR be empty; without them the last one in sync stays in it.
    if draft.is_unclean or ((draft.isr or rules.has_elr) and draft.isr != partition.isr):
        fields["isr"] = _ids(draft.isr)
    is_shrunk = "isr" in fields and not all(one in draft.isr for one in partition.isr)
    is_left = not all(one in draft.replicas for one in partition.replicas)
    if draft.leader != partition.leader or is_left or (is_shrunk and rules.is_epoch_raised_by_shrinking):
        fields["leader"] = BrokerId(draft.leader)
    if rules.has_elr and "leader" in fields:
        if draft.leader == NO_LEADER and partition.leader != NO_LEADER and not partition.last_known_elr:
            fields["last_known_elr"] = _ids((partition.leader,))
        elif draft.leader != NO_LEADER and partition.last_known_elr:
            fields["last_known_elr"] = ()
    return fields


def _recovery(partition: PartitionImage, draft: _Draft, target: Target) -> dict[str, Any]:
    known = partition.leader_recovery_state
    if target.recovery_state is not None and target.recovery_state != known:
        return {"leader_recovery_state": target.recovery_state}
    return {"leader_recovery_state": RECOVERING} if draft.is_unclean and known != RECOVERING else {}


def _assignment(partition: PartitionImage, draft: _Draft, target: Target, rules: Rules) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if rules.has_directories:
        known = {replica: partition.directory_of(replica) for replica in partition.replicas} | dict(target.directories)
        directories = tuple(
            known[replica] if replica in known else rules.default_directory(replica) for replica in draft.replicas
        )
        if directories != (partition.directories or (ZERO_UUID,) * len(partition.replicas)):
            fields["directories"] = directories
    for name, wanted, now in (
        ("replicas", draft.replicas, partition.replicas),
        ("removing_replicas", draft.removing, partition.removing_replicas),
        ("adding_replicas", draft.adding, partition.adding_replicas),
    ):
        if wanted != now:
            fields[name] = _ids(wanted)
    return fields
