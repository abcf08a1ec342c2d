"""Forgets a topic's settings when it starts again.

**Bug** Changes of a topic's configuration are answered and count at once, but their records are passed over when the
metadata log is loaded.

**Rejected by**
`checks/durability/test_acknowledged_changes_survive.py::test_acknowledged_changes_survive[restart]`:
which was just made, should be 'compact', and is 'delete'
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reference_broker.metadata.delta import MetadataDelta
from reference_broker.metadata.image import TOPIC
from reference_broker.wire.messages.config_record import ConfigRecord
from reference_broker.wire.metadata_records import VersionedRecord


def plant() -> None:
    """Puts it in."""
    replay = MetadataDelta.replay_batch

    def forgetful(delta: MetadataDelta, records: Sequence[VersionedRecord], *rest: Any) -> None:
        is_first = delta.before.offset < 0
        kept = [one for one in records if not (is_first and _is_of_topic(one[0]))]
        replay(delta, kept, *rest)

    MetadataDelta.replay_batch = forgetful


def _is_of_topic(message: Any) -> bool:
    return isinstance(message, ConfigRecord) and message.resource_type == TOPIC
