"""Kafka 4.2.0 and 4.2.1 differ: the summary of a share partition that was initialized.

Found by seed 6, share_state 0, after 0.5 s and 57 steps.
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
from reference_broker.wire.messages.read_share_group_state_summary_request import (
    PartitionData as ReadShareGroupStateSummaryRequestPartitionData,
)
from reference_broker.wire.messages.read_share_group_state_summary_request import (
    ReadShareGroupStateSummaryRequest,
    ReadStateSummaryData,
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
                InitializeStateData(
                    topic_id=Ref(Kind.TOPIC_ID, "orders"), partitions=(InitializeShareGroupStateRequestPartitionData(),)
                ),
            ),
        ),
        version=0,
        client=2,
    ),
    Request(
        message=ReadShareGroupStateSummaryRequest(
            group_id="others",
            topics=(
                ReadStateSummaryData(
                    topic_id=Ref(Kind.TOPIC_ID, "orders"),
                    partitions=(ReadShareGroupStateSummaryRequestPartitionData(),),
                ),
            ),
        ),
        version=1,
        client=1,
    ),
)

replay_all(ACTIONS, ["kafka@4.2.0", "kafka@4.2.1"])
