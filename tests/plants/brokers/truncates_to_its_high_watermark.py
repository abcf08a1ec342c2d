"""Cuts its log at its high watermark instead of where the logs part.

**Bug** As before KIP-101: what is above a follower's high watermark goes when another broker leads, though all replicas
in sync may have it.

**Rejected by**
`checks/protocol/test_leaders_are_followed.py::test_a_follower_cuts_where_the_logs_part`:
offsets from which the follower fetched first
`python -m harness simulate`: and it had that of
"""

from __future__ import annotations

from reference_broker.metadata.topics import PartitionImage
from reference_broker.replication.follower import Follower


def plant() -> None:
    """Plants it."""
    plain = Follower.update

    def update(self: Follower, image: PartitionImage) -> None:
        is_led_anew = image.leader_epoch > self.epoch
        plain(self, image)
        if is_led_anew:
            self._truncate_to(self.log.high_watermark)

    Follower.update = update  # type: ignore[method-assign]
