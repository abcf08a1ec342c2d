"""Kafka 4.0.0 and 4.0.2 differ: a producer takes over while a transaction is open.

Found by seed 5, transactions 53, after 92.1 s and 1,014 steps.
"""

from harness.search.lockstep.actions import Kind, Ref, Request
from harness.search.neighbours.replay import replay_all
from reference_broker.wire.messages.add_offsets_to_txn_request import AddOffsetsToTxnRequest
from reference_broker.wire.messages.init_producer_id_request import InitProducerIdRequest

ACTIONS = (
    Request(
        message=InitProducerIdRequest(transactional_id="t0", transaction_timeout_ms=60000),
        version=5,
        client=1,
        learns=(("producer_id", Ref(Kind.PRODUCER_ID, "t0")),),
    ),
    Request(
        message=AddOffsetsToTxnRequest(transactional_id="t0", producer_id=Ref(Kind.PRODUCER_ID, "t0")),
        version=2,
        client=1,
    ),
    Request(
        message=InitProducerIdRequest(transactional_id="t0", transaction_timeout_ms=60000),
        version=1,
        client=1,
        learns=(("producer_id", Ref(Kind.PRODUCER_ID, "t0")),),
    ),
    Request(
        message=InitProducerIdRequest(transactional_id="t0", transaction_timeout_ms=60000),
        version=3,
        client=2,
        learns=(("producer_id", Ref(Kind.PRODUCER_ID, "t0")),),
    ),
)

replay_all(ACTIONS, ["kafka@4.0.0", "kafka@4.0.2"])
