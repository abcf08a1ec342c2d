"""Forgets a topic's settings when it starts again.

**Bug** Changes of a topic's configuration are answered and count at once, but their records are passed over when the
metadata log is loaded.

**Rejected by**
`checks/durability/test_acknowledged_changes_survive.py::test_acknowledged_changes_survive[restart]`:
which was just made, should be 'compact', and is 'delete'
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reference_broker.metadata.image import TOPIC
from reference_broker.raft.quorum import Loaded, Quorum
from reference_broker.wire.messages.config_record import ConfigRecord


def plant() -> None:
    """Puts it in."""
    load = Quorum.load

    def forgetful(quorum: Quorum) -> Iterator[Loaded]:
        for batch in load(quorum):
            kept = tuple(
                (message, version)
                for message, version in batch.records
                if not (isinstance(message, ConfigRecord) and message.resource_type == TOPIC)
            )
            yield replace(batch, records=kept)

    Quorum.load = forgetful
