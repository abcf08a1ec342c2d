"""Kafka 4.0.0 and 4.0.2 differ: a producer takes over, and the one before it asks for its next epoch.

Found by seed 5, transactions 57, after 99.2 s and 1,101 steps.
"""

from harness.search.lockstep.actions import Kind, Ref, Request, WrittenBatch
from harness.search.neighbours.replay import replay_all
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.init_producer_id_request import InitProducerIdRequest
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData

ACTIONS = (
    Request(
        message=CreateTopicsRequest(topics=(CreatableTopic(name="events", num_partitions=1, replication_factor=1),)),
        version=7,
        learns=(
            ("topics.=orders.topic_id", Ref(Kind.TOPIC_ID, "orders")),
            ("topics.=events.topic_id", Ref(Kind.TOPIC_ID, "events")),
        ),
    ),
    Request(
        message=InitProducerIdRequest(transactional_id="t1", transaction_timeout_ms=60000),
        version=5,
        learns=(("producer_id", Ref(Kind.PRODUCER_ID, "t1")),),
    ),
    Request(
        message=ProduceRequest(
            transactional_id="t1",
            topic_data=(
                TopicProduceData(
                    name="events",
                    partition_data=(
                        PartitionProduceData(
                            records=WrittenBatch(
                                producer_id=Ref(Kind.PRODUCER_ID, "t1"), producer_epoch=0, is_transactional=True
                            )
                        ),
                    ),
                ),
            ),
        ),
        version=12,
        client=1,
    ),
    Request(
        message=InitProducerIdRequest(transactional_id="t1", transaction_timeout_ms=60000),
        version=5,
        client=1,
        learns=(("producer_id", Ref(Kind.PRODUCER_ID, "t1")),),
    ),
    Request(
        message=InitProducerIdRequest(
            transactional_id="t1",
            transaction_timeout_ms=60000,
            producer_id=Ref(Kind.PRODUCER_ID, "t1"),
            producer_epoch=0,
        ),
        version=5,
        learns=(("producer_id", Ref(Kind.PRODUCER_ID, "t1")),),
    ),
)

replay_all(ACTIONS, ["kafka@4.0.0", "kafka@4.0.2"])
