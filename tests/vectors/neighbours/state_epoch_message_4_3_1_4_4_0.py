"""Kafka 4.3.1 and 4.4.0 differ: the message about a share group's state epoch.

Found by seed 2, any_request 183, after 108.0 s and 4,522 steps.
"""

from harness.lockstep.actions import Kind, Ref, Request
from harness.lockstep.neighbours_replay import replay_all
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.initialize_share_group_state_request import (
    InitializeShareGroupStateRequest,
    InitializeStateData,
    PartitionData,
)

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
        message=InitializeShareGroupStateRequest(
            group_id="a",
            topics=(
                InitializeStateData(
                    topic_id=Ref(Kind.TOPIC_ID, "events"), partitions=(PartitionData(state_epoch=1), PartitionData())
                ),
            ),
        ),
        version=0,
        client=2,
    ),
)

replay_all(ACTIONS, ["kafka@4.3.1", "kafka@4.4.0"])
