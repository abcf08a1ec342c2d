"""Bugs for every invariant, the ledger and the bound of progress, and plans that show them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from plans import plan_with

from reference_broker.apis import list_offsets
from reference_broker.controller import partition_change
from reference_broker.log.awaited_flush import AwaitedFlush
from reference_broker.log.flushing import SegmentFlush
from reference_broker.log.producer_state import ProducerState
from reference_broker.metadata.image import MetadataImage
from reference_broker.raft.ballot import Ballot
from reference_broker.raft.leader import Leader as QuorumLeader
from reference_broker.raft.store import MetadataStore
from reference_broker.replication.leader import Leader
from reference_broker.replication.partition import Partition
from reference_broker.simulation.faults import Act, Fault
from reference_broker.simulation.invariants.replicas import Replicas
from reference_broker.simulation.scenario.plan import SMALL_SNAPSHOTS, Plan
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.producer_ids_record import ProducerIdsRecord

Patch = pytest.MonkeyPatch


def isolated(seed: int) -> Plan:
    """Each node in turn is cut off from the others, but not from the clients, and then loses power."""
    node = 1 + seed % 3
    cuts = [
        Fault(200, Act.CUT, link) for other in (1, 2, 3) if other != node for link in ((node, other), (other, node))
    ]
    return plan_with(seed, [*cuts, Fault(1900, Act.CRASH, (node,)), Fault(1950, Act.START, (node,))])


def without_power(seed: int) -> Plan:
    """All nodes lose power at once."""
    faults = [Fault(400, Act.CRASH, (node,)) for node in (1, 2, 3)] + [Fault(500, Act.START, (n,)) for n in (1, 2, 3)]
    return plan_with(seed, faults, **{"log.flush.interval.messages": "1"})


def restarted(seed: int) -> Plan:
    """Each node is killed and started again, with a snapshot every few records."""
    faults = [
        fault
        for node in (1, 2, 3)
        for fault in (Fault(400 * node, Act.KILL, (node,)), Fault(400 * node + 100, Act.START, (node,)))
    ]
    return plan_with(seed, faults, **SMALL_SNAPSHOTS)


def without_power_while_it_votes(seed: int) -> Plan:
    """Disks are slow, a node is cut off, and the others lose power one after the other while they elect."""
    cut_off = 1 + seed % 3
    faults = [Fault(1, Act.SLOW_DISK, (node,)) for node in (1, 2, 3)] + [Fault(100, Act.ISOLATE, (cut_off,))]
    others = [node for node in (1, 2, 3) if node != cut_off]
    for at_ms in range(1000, 1900, 60):
        node = others[at_ms // 60 % 2]
        faults += [Fault(at_ms, Act.CRASH, (node,)), Fault(at_ms + 10, Act.START, (node,))]
    quick = {"controller.quorum.fetch.timeout.ms": "800", "controller.quorum.election.timeout.ms": "200"}
    return plan_with(seed, faults, **{"log.flush.interval.messages": "1", **quick})


def disconnected(seed: int) -> Plan:
    """Connections of producers break all the time."""
    faults = [Fault(7 * at, Act.BREAK, (-2 - at % 2, 1 + at % 3)) for at in range(1, 250)]
    return plan_with(seed, faults)


# -- plants -----------------------------------------------------------------------------------------------------


def leads_without_a_majority(patch: Patch) -> None:
    """A candidate wins by its own vote."""
    patch.setattr(Ballot, "is_won", property(lambda self: True))


def forgets_its_vote(patch: Patch) -> None:
    """The epoch and the vote are not stored."""
    patch.setattr(MetadataStore, "write_quorum_state", lambda self, state: None)


def commits_metadata_alone(patch: Patch) -> None:
    """What the quorum's leader has flushed counts as committed, whoever has it."""

    def own_offset(self: QuorumLeader) -> int:
        return max(progress.end_offset for progress in self.voters.values())

    patch.setattr(QuorumLeader, "majority_offset", own_offset)


def loses_producer_ids_in_snapshots(patch: Patch) -> None:
    """A snapshot lacks a record."""
    records = MetadataImage.records

    def fewer(self: MetadataImage) -> Any:
        return (one for one in records(self) if not isinstance(one[0], ProducerIdsRecord))

    patch.setattr(MetadataImage, "records", fewer)


def elects_anybody(patch: Patch) -> None:
    """The controller elects a replica without a look at the ISR, and leaves that as it is."""
    elected = partition_change._elected

    def anybody(partition: Any, draft: Any, election: Any, rules: Any) -> tuple[int, bool]:
        alive = [one for one in draft.replicas if rules.is_acceptable(one) and one not in draft.isr]
        return (alive[0], False) if alive else elected(partition, draft, election, rules)

    patch.setattr(partition_change, "_elected", anybody)


def elects_who_lags(patch: Patch) -> None:
    """The controller has a replica lead that is not in the ISR, and says that it alone is."""
    elect = partition_change._elect

    def elect_outside(partition: Any, draft: Any, election: Any, rules: Any) -> None:
        elect(partition, draft, election, rules)
        outside = [one for one in draft.replicas if rules.is_acceptable(one) and one not in draft.isr]
        if outside:
            draft.leader, draft.isr, draft.elr = outside[0], (outside[0],), ()

    patch.setattr(partition_change, "_elect", elect_outside)


def leads_where_it_is_in_sync(patch: Patch) -> None:
    """A broker believes that it leads what it is in sync with."""
    update = Partition.update

    def mistaken(self: Partition, image: Any, now: Any) -> None:
        own = self._local.node_id
        update(self, replace(image, leader=own) if own in image.isr else image, now)

    patch.setattr(Partition, "update", mistaken)


def counts_what_only_the_leader_has(patch: Patch) -> None:
    """The high watermark is the leader's end."""

    def advance(self: Leader) -> bool:
        self.log.high_watermark = self.log.log_end_offset
        self._waiters.complete(self.log.high_watermark, ErrorCode.NONE)
        return True

    patch.setattr(Leader, "advance_high_watermark", advance)


def elects_who_lacks_what_was_counted(patch: Patch) -> None:
    """The same, and nobody looks at the replicas that the leader counts on: the next leader shows it."""
    counts_what_only_the_leader_has(patch)
    patch.setattr(Replicas, "look", lambda self, *seen, **more: None)


def begins_an_epoch_at_zero(patch: Patch) -> None:
    """A new leader's high watermark begins anew."""
    begin = Leader._begin_epoch

    def forgetful(self: Leader, epoch: int, now: Any) -> None:
        begin(self, epoch, now)
        self.log.high_watermark = self.log.log_start_offset

    patch.setattr(Leader, "_begin_epoch", forgetful)


def acknowledges_what_only_the_leader_has(patch: Patch) -> None:
    """acks=all is answered as acks=1 would be."""
    patch.setattr(Leader, "acknowledgement", lambda self, required_offset: ErrorCode.NONE)


def flushes_nothing(patch: Patch) -> None:
    """flush.messages=1 does not flush."""
    patch.setattr(AwaitedFlush, "ask", lambda self, log, now_ms: None)


def only_says_that_it_flushes(patch: Patch) -> None:
    """A flush of a partition is done before the disk has anything; the metadata log is flushed."""
    flush = SegmentFlush.flush

    def pretend(self: SegmentFlush) -> None:
        if "__cluster_metadata" in self._segment.stem:
            flush(self)

    patch.setattr(SegmentFlush, "flush", pretend)


def forgets_batches(patch: Patch) -> None:
    """A batch that is sent again is appended again."""
    patch.setattr(ProducerState, "find_duplicate", lambda self, header: None)
    patch.setattr(ProducerState, "check", lambda self, header: None)


def fails_to_answer(patch: Patch) -> None:
    """A handler raises what it should not."""

    def fail(request: Any, ctx: Any) -> Any:
        raise ZeroDivisionError("a fault of ours")

    patch.setattr(list_offsets, "handle", fail)


def never_votes(patch: Patch) -> None:
    """No candidate ever wins."""
    patch.setattr(Ballot, "is_won", property(lambda self: False))


PLANTS: tuple[tuple[Callable[[Patch], None], Callable[[int], Plan], str], ...] = (
    (leads_without_a_majority, isolated, r"leads the quorum in epoch \d+, in which node \d led"),
    (forgets_its_vote, without_power_while_it_votes, r"the quorum's epoch goes back from \d+ to \d+"),
    (commits_metadata_alone, isolated, r"metadata offset \d+ was committed as|below what is committed"),
    (loses_producer_ids_in_snapshots, restarted, r"the image at offset \d+ differs"),
    (elects_anybody, isolated, r"is neither in the ISR \(.*\) nor in the ELR"),
    (leads_where_it_is_in_sync, isolated, r"is led in epoch \d+, in which node \d led it"),
    (elects_who_lags, isolated, r"and \d is eligible no longer"),
    (elects_who_lacks_what_was_counted, isolated, r"with a log up to \d+, but \d+ is committed|is committed \(base"),
    (counts_what_only_the_leader_has, isolated, r"commits \d+ of epoch \d+, which \d in its ISR lacks"),
    (begins_an_epoch_at_zero, isolated, r"the high watermark goes back from \d+ to 0"),
    (acknowledges_what_only_the_leader_has, isolated, r"was acknowledged there and never committed"),
    (flushes_nothing, without_power, r"was acknowledged, and in the end|but \d+ is committed|is committed \(base"),
    (only_says_that_it_flushes, without_power, r"after a start, before it up to \d+"),
    (forgets_batches, disconnected, r"from an idempotent producer"),
    (fails_to_answer, restarted, r"logs an error: LIST_OFFSETS .* failed: ZeroDivisionError"),
    (never_votes, restarted, r"no progress: not within \d+ ms: a topic is created"),
)
