"""Kafka 4.3.0 and 4.3.1 differ: a share partition's state is read without a leader epoch.

Found by seed 6, share_state 3, after 3.3 s and 112 steps.
"""

from harness.search.lockstep.actions import Kind, Ref, Request
from harness.search.neighbours.replay import replay_all
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.initialize_share_group_state_request import (
    InitializeShareGroupStateRequest,
    InitializeStateData,
)
from reference_broker.wire.messages.initialize_share_group_state_request import (
    PartitionData as InitializeShareGroupStateRequestPartitionData,
)
from reference_broker.wire.messages.read_share_group_state_request import (
    PartitionData as ReadShareGroupStateRequestPartitionData,
)
from reference_broker.wire.messages.read_share_group_state_request import ReadShareGroupStateRequest, ReadStateData

ACTIONS = (
    Request(
        message=CreateTopicsRequest(topics=(CreatableTopic(name="orders", num_partitions=1, replication_factor=1),)),
        version=7,
        learns=(
            ("topics.=orders.topic_id", Ref(Kind.TOPIC_ID, "orders")),
            ("topics.=events.topic_id", Ref(Kind.TOPIC_ID, "events")),
        ),
    ),
    Request(
        message=InitializeShareGroupStateRequest(
            group_id="a:b",
            topics=(
                InitializeStateData(
                    topic_id=Ref(Kind.TOPIC_ID, "orders"), partitions=(InitializeShareGroupStateRequestPartitionData(),)
                ),
            ),
        ),
        version=0,
        client=1,
    ),
    Request(
        message=ReadShareGroupStateRequest(
            group_id="a:b",
            topics=(
                ReadStateData(
                    topic_id=Ref(Kind.TOPIC_ID, "orders"),
                    partitions=(ReadShareGroupStateRequestPartitionData(leader_epoch=-1),),
                ),
            ),
        ),
        version=0,
        client=1,
    ),
)

replay_all(
    ACTIONS,
    ["kafka@4.3.0", "kafka@4.3.1"],
    {
        "group.consumer.migration.policy": "DISABLED",
        "group.coordinator.rebalance.protocols": "consumer,classic,share,streams",
        "transaction.partition.verification.enable": "false",
    },
)
