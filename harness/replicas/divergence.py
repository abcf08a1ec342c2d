"""Compares the replicas of a partition: equal batches and leader epochs, valid checksums, offsets in order. Pure.

Kafka promises equality only below the high watermark; above it, a replica may hold records that will be truncated
(KIP-101).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.replicas.replica_log import ReplicaLog, StoredBatch


class Kind(StrEnum):
    """Kinds of errors in replicas."""

    DIFFERENT_BATCH = "different batch"
    """Two replicas hold different bytes at an offset below the high watermark (D6, LogMatching)."""
    MISSING_BATCH = "missing batch"
    """A replica lacks a batch that another holds below the high watermark (D6, D4)."""
    DIFFERENT_EPOCHS = "different leader epochs"
    """Two replicas list different start offsets for one leader epoch (D6)."""
    DAMAGED_BATCH = "damaged batch"
    """A stored batch has a wrong CRC (D9, P4)."""
    OFFSETS_OUT_OF_ORDER = "offsets out of order"
    """A batch begins at or before the end of the one before it (O1)."""
    EPOCH_GOES_BACK = "leader epoch goes back"
    """A batch has a lower leader epoch than the one before it (O10)."""
    SEQUENCE_GAP = "sequence gap"
    """The sequence of a producer's batch does not follow that of its previous one in the same epoch (O6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """One error, in words."""

    kind: Kind
    sentence: str
    offset: int
    witness: tuple[str, ...] = ()


def divergences(replicas: Sequence[ReplicaLog], below: int) -> list[Divergence]:
    """All errors in the replicas of one partition; `below` is the high watermark, up to which they must be equal.

    O(batches).
    """
    found = [one for replica in replicas for one in _inner(replica)]
    for other in replicas[1:]:
        found += _compared(replicas[0], other, below)
    return found


def _inner(replica: ReplicaLog) -> Iterator[Divergence]:
    before: StoredBatch | None = None
    producers: dict[tuple[int, int], StoredBatch] = {}
    who = f"node {replica.node}"
    for batch in replica.batches:
        if not batch.is_sound:
            sentence = f"{who} stores a batch at offset {batch.base_offset} whose checksum does not fit ({batch.place})"
            yield Divergence(kind=Kind.DAMAGED_BATCH, sentence=sentence, offset=batch.base_offset)
        if before is not None:
            lines = (_line(replica, before), _line(replica, batch))
            if batch.base_offset <= before.last_offset:
                sentence = f"{who} stores offset {batch.base_offset} behind offset {before.last_offset}"
                yield Divergence(
                    kind=Kind.OFFSETS_OUT_OF_ORDER, sentence=sentence, offset=batch.base_offset, witness=lines
                )
            if batch.leader_epoch < before.leader_epoch:
                sentence = (
                    f"{who} stores leader epoch {batch.leader_epoch} at offset {batch.base_offset}, "
                    f"behind epoch {before.leader_epoch}"
                )
                yield Divergence(kind=Kind.EPOCH_GOES_BACK, sentence=sentence, offset=batch.base_offset, witness=lines)
        if batch.base_sequence >= 0 and not batch.is_control:
            key = batch.producer_id, batch.producer_epoch
            last = producers.get(key)
            if last is not None and batch.base_sequence != (last.last_sequence + 1) & 0x7FFFFFFF:
                sentence = (
                    f"{who}: producer {batch.producer_id} (epoch {batch.producer_epoch}) goes from sequence "
                    f"{last.last_sequence} to {batch.base_sequence} at offset {batch.base_offset}"
                )
                lines = (_line(replica, last), _line(replica, batch))
                yield Divergence(kind=Kind.SEQUENCE_GAP, sentence=sentence, offset=batch.base_offset, witness=lines)
            producers[key] = batch
        before = batch


def _compared(one: ReplicaLog, other: ReplicaLog, below: int) -> Iterator[Divergence]:
    """The first batch in which two replicas differ, from the higher log start offset to the high watermark; then their
    leader epochs."""
    start = max(one.log_start, other.log_start)
    ours = {batch.base_offset: batch for batch in one.batches if start <= batch.base_offset < below}
    theirs = {batch.base_offset: batch for batch in other.batches if start <= batch.base_offset < below}
    for offset in sorted({**ours, **theirs}):
        mine, its = ours.get(offset), theirs.get(offset)
        if mine is None or its is None:
            lacking, holding, batch = (one, other, its) if mine is None else (other, one, mine)
            assert batch is not None
            sentence = (
                f"node {lacking.node} lacks the batch at offset {offset} that node {holding.node} holds, "
                f"below the high watermark {below}"
            )
            lines = (_line(holding, batch), f"node {lacking.node}  ends at {lacking.log_end}")
            yield Divergence(kind=Kind.MISSING_BATCH, sentence=sentence, offset=offset, witness=lines)
            break
        if mine.digest != its.digest:
            sentence = f"nodes {one.node} and {other.node} hold different batches at offset {offset}"
            lines = (_line(one, mine), _line(other, its))
            yield Divergence(kind=Kind.DIFFERENT_BATCH, sentence=sentence, offset=offset, witness=lines)
            break
    yield from _compared_epochs(one, other, below)


def _compared_epochs(one: ReplicaLog, other: ReplicaLog, below: int) -> Iterator[Divergence]:
    """The first leader epoch that both replicas list with different start offsets, both above the log start offsets and
    at least one below the high watermark."""
    theirs = dict(other.leader_epochs)
    for epoch, start in one.leader_epochs:
        elsewhere = theirs.get(epoch, start)
        # The start offset of a log's first epoch moves with the log start offset, and depends on when a replica joined.
        if start != elsewhere and max(one.log_start, other.log_start) < min(start, elsewhere) < below:
            sentence = (
                f"leader epoch {epoch} began at {start} on node {one.node} and at {elsewhere} on node {other.node}"
            )
            yield Divergence(kind=Kind.DIFFERENT_EPOCHS, sentence=sentence, offset=min(start, elsewhere))
            return


def _line(replica: ReplicaLog, batch: StoredBatch) -> str:
    producer = f", producer {batch.producer_id}/{batch.producer_epoch} from sequence {batch.base_sequence}"
    return (
        f"node {replica.node}  offsets {batch.base_offset} to {batch.last_offset}, leader epoch {batch.leader_epoch}"
        f"{producer if batch.base_sequence >= 0 else ''}  ({batch.place})"
    )
