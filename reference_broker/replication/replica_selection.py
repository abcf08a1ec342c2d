"""Which replica a consumer is to read from: one in its own rack, where the leader is in another (KIP-392).

Source: KIP-392; Kafka documentation, replica.selector.class. A selector of one's own is Java: only Kafka's are known.
"""

from __future__ import annotations

from typing import Final, NamedTuple

RACK_AWARE: Final = "org.apache.kafka.common.replica.RackAwareReplicaSelector"


class ReadableReplica(NamedTuple):
    """A replica in sync that has the offset that is asked for. `rack` is None where its broker has none."""

    broker_id: int
    rack: str | None
    log_end_offset: int
    behind_for_ms: int
    """How long ago it had everything."""


def select_by_rack(rack: str, leader: ReadableReplica, followers: list[ReadableReplica]) -> int | None:
    """The follower to read from; None for the leader: it is in the rack, or nobody is.

    Of several the one with most of the log, then the one that was caught up last, then the largest id.
    """
    if leader.rack == rack:
        return None
    near = [one for one in followers if one.rack == rack]
    best = max(near, key=lambda one: (one.log_end_offset, -one.behind_for_ms, one.broker_id), default=None)
    return None if best is None else best.broker_id
