"""The producers' state at the end of a log: the newest snapshot to be trusted, then every batch behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reference_broker.environment import Disk
from reference_broker.log.producer_state import Completed, ProducerState, marker_of
from reference_broker.log.segment import Segment
from reference_broker.log.steps import BATCHES_AT_ONCE, Steps, done
from reference_broker.log.transaction_index import AbortedTransaction
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.records import Batch, BatchHeader, iter_batches

KNOWS_ALL = -(1 << 62)


def load_producers(**circumstances: Any) -> None:
    """`loading_producers` at once."""
    done(loading_producers(**circumstances))


def loading_producers(
    *,
    disk: Disk,
    directory: str,
    segments: Sequence[Segment],
    producers: ProducerState,
    start_offset: int,
    trusted_up_to: int,
    silent_since_ms: int = KNOWS_ALL,
) -> Steps[None]:
    """Rebuild the state at the end of the last segment, in steps.

    Snapshots beyond `trusted_up_to` may speak of records that a crash took back, and are removed; so are those that
    belong to no segment, but the newest. Producers of the snapshot without a record after `silent_since_ms` are
    forgotten, as by a running broker (producer.id.expiration.ms).
    """
    producers.clear()
    bases = {segment.base_offset: None for segment in segments}
    offsets = sorted(int(name[:-9]) for name in disk.list(directory) if name.endswith(".snapshot"))
    start, is_loaded = start_offset, False
    for offset in reversed(offsets):
        path = f"{directory}/{offset:020d}.snapshot"
        if offset > trusted_up_to:
            disk.remove(path)
        elif is_loaded:
            if offset not in bases:
                disk.remove(path)
        else:
            try:
                producers.load_snapshot(disk, path)
                producers.expire(silent_since_ms)
                start, is_loaded = max(offset, start_offset), True
            except MalformedRequest:
                disk.remove(path)
    for segment in segments:
        if segment.next_offset > start:
            yield from _replay(segment, producers, start)


def _replay(segment: Segment, producers: ProducerState, start: int) -> Steps[None]:
    for count, (position, header) in enumerate(segment.headers_from(segment.position_of(start))):
        if count % BATCHES_AT_ONCE == BATCHES_AT_ONCE - 1:
            yield
        if not header.has_producer_id or header.base_offset < start:
            continue
        if header.is_control:
            (batch,) = iter_batches(segment.read_batch(position, header))
            take_marker(segment, producers, header, batch)
        else:
            producers.note(header)


def take_marker(segment: Segment, producers: ProducerState, header: BatchHeader, batch: Batch) -> Completed | None:
    """A control batch in a segment: the transaction it ended, which the segment's index notes if it was aborted."""
    marker = marker_of(batch)
    done = producers.complete(header, marker) if marker else None
    if done and done.is_aborted:
        ongoing = producers.first_ongoing_offset
        stable = ongoing if ongoing >= 0 else done.last_offset + 1
        segment.aborted.add(AbortedTransaction(done.producer_id, done.first_offset, done.last_offset, stable))
    return done
