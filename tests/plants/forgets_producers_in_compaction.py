"""Compacts the last batch of a producer away.

**Bug** A batch goes when none of its records stays. The log does not tell any more what the producer has sent last, and
who reads it anew takes a repeat for something new. Kafka keeps such a batch, empty (KIP-98).

**Rejected by**
`checks/retention/test_compaction_keeps_producers.py::test_a_producer_goes_on_after_its_records_were_compacted_away`:
The producer's batch in the log (last offset, epoch, last sequence) should be (1, 0, 1), and is None
"""

from __future__ import annotations

from reference_broker.log.compaction import filtering
from reference_broker.log.compaction.filtering import Rules, WhenEmpty
from reference_broker.wire.records import BatchHeader


def plant() -> None:
    """Puts it in."""

    def forgetful(header: BatchHeader, rules: Rules) -> WhenEmpty:
        return WhenEmpty.STAYS if header.next_offset == rules.end_offset else WhenEmpty.GOES

    filtering._when_empty = forgetful
