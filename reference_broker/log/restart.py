"""A log that begins anew, empty, at another offset: what it held is replaced by a snapshot, or gone at the leader."""

from __future__ import annotations

from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.segment import Segment


def restart_at(log: PartitionLog, offset: int) -> None:
    """Drop every record; the next one gets `offset`.

    The newest segment goes first, so that a crash on the way leaves a log without a hole.
    """
    while log.segments:
        log.segments.pop().remove()
    log.segments.append(Segment(log.disk, log.directory, offset, log.config))
    log.epochs.clear()
    log.producers.clear()
    log.log_start_offset = log.log_end_offset = log.high_watermark = log.recovery_point = offset
    log.has_new_files = True
