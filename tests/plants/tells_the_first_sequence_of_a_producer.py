"""Tells the first sequence of a producer's last batch for its last.

**Bug** DescribeProducers is wrong by the length of a batch: who looks for a producer that hangs sees one that lost
records.

**Rejected by**
`checks/protocol/test_describe_producers.py::test_an_idempotent_producer_is_told`:
The producer's id, epoch, last sequence and last timestamp should be
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_each

RECORDS_OF_A_BATCH = 3


def plant() -> None:
    """Puts it in."""

    def earlier(producer: Any) -> Any:
        return replace(producer, last_sequence=producer.last_sequence - RECORDS_OF_A_BATCH + 1)

    change_each(ApiKey.DESCRIBE_PRODUCERS, "topics.partitions.active_producers", earlier)
