"""Appends every batch to the first partition of its topic, and answers for the one that was named.

**Bug** Keys no longer choose where their records stand, and records without a key pile up in one place. Like
KAFKA-19012, where records came to stand elsewhere than they were sent.

**Rejected by**
`checks/ordering/test_keys_choose_partitions.py::test_keys_choose_partitions[confluent]`: b'customer-1'
`checks/ordering/test_keys_choose_partitions.py::test_records_without_a_key_are_spread[confluent]`:
should be {0, 1, 2}, and is {0}
`checks/walkthrough/test_keyed_and_keyless_records.py::test_records_without_a_key_use_all_partitions`:
should be {0, 1, 2}, and is {0}
`checks/walkthrough/test_java_producer.py::test_java_producer`: (1, 0): nothing, where ('ORD-001'
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.apis import produce
from reference_broker.apis.context import BrokerContext
from reference_broker.apis.produce import Outcome, Waiting
from reference_broker.log.producer_state import ProducerState
from reference_broker.replication.partition import Partition
from reference_broker.wire.records import Batch


def plant() -> None:
    """Puts it in. The partitions' sequences come together in one, and count for nothing."""
    append_to = produce._append_to

    def astray(partition: Partition, batch: Batch, acks: int, ctx: BrokerContext) -> Outcome:
        first = None if partition.is_internal else ctx.partitions.find(partition.topic, 0)
        outcome = append_to(partition if first is None else first, batch, acks, ctx)
        if isinstance(outcome, Waiting):
            outcome.response = replace(outcome.response, index=partition.index)
            return outcome
        return replace(outcome, index=partition.index)

    produce._append_to = astray
    ProducerState.find_duplicate = lambda producers, header: None
    ProducerState.check = lambda producers, header: None
