"""Kafka 4.2.0 and 4.2.1 differ: the lag of a share partition whose start was set.

Found by seed 5, share 82, after 87.3 s and 1,588 steps.
"""

from harness.search.lockstep.actions import Kind, Ref, Request
from harness.search.neighbours.replay import replay_all
from reference_broker.wire.messages.alter_share_group_offsets_request import (
    AlterShareGroupOffsetsRequest,
    AlterShareGroupOffsetsRequestPartition,
    AlterShareGroupOffsetsRequestTopic,
)
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.describe_share_group_offsets_request import (
    DescribeShareGroupOffsetsRequest,
    DescribeShareGroupOffsetsRequestGroup,
    DescribeShareGroupOffsetsRequestTopic,
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
        message=AlterShareGroupOffsetsRequest(
            group_id="workers",
            topics=(
                AlterShareGroupOffsetsRequestTopic(
                    topic_name="orders", partitions=(AlterShareGroupOffsetsRequestPartition(),)
                ),
            ),
        ),
        version=0,
        client=1,
    ),
    Request(
        message=DescribeShareGroupOffsetsRequest(
            groups=(
                DescribeShareGroupOffsetsRequestGroup(
                    group_id="workers",
                    topics=(DescribeShareGroupOffsetsRequestTopic(topic_name="orders", partitions=(0,)),),
                ),
            )
        ),
        version=1,
    ),
)

replay_all(ACTIONS, ["kafka@4.2.0", "kafka@4.2.1"])
