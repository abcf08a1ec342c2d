"""Kafka 4.3.1 and 4.4.0 differ: a share partition is initialized with a negative epoch.

Found by seed 5, share_state 6, after 6.7 s and 136 steps.
"""

from harness.search.lockstep.actions import Kind, Ref, Request
from harness.search.neighbours.replay import replay_all
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.initialize_share_group_state_request import (
    InitializeShareGroupStateRequest,
    InitializeStateData,
    PartitionData,
)

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
            group_id="others",
            topics=(
                InitializeStateData(topic_id=Ref(Kind.TOPIC_ID, "orders"), partitions=(PartitionData(state_epoch=-1),)),
            ),
        ),
        version=0,
    ),
)

replay_all(ACTIONS, ["kafka@4.3.1", "kafka@4.4.0"])
