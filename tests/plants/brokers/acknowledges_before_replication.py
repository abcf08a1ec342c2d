"""Acknowledges acks=all as soon as the leader has the record.

**Bug** `acknowledgement` does not look at the high watermark, so acks=all behaves as acks=1.

**Rejected by**
`checks/protocol/test_followers_are_served.py::test_a_record_is_acknowledged_when_the_follower_has_it`:
answer to acks=all while the follower has nothing
`checks/walkthrough/test_five_replicas.py`: The side of two has acknowledged a write that needs three
`python -m harness simulate`: was acknowledged there and never committed
"""

from __future__ import annotations

from reference_broker.replication.leader import Leader
from reference_broker.wire.errors import ErrorCode


def plant() -> None:
    """Plants it."""
    Leader.acknowledgement = lambda self, required_offset: ErrorCode.NONE  # type: ignore[method-assign]
