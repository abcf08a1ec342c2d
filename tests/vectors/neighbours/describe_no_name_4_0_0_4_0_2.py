"""Kafka 4.0.0 and 4.0.2 differ: a consumer group without a name is described with another.

Found by seed 5, consumer 6, after 12.4 s and 173 steps.
"""

from harness.search.lockstep.actions import Kind, Ref, Request
from harness.search.neighbours.replay import replay_all
from reference_broker.wire.messages.consumer_group_describe_request import ConsumerGroupDescribeRequest
from reference_broker.wire.messages.consumer_group_heartbeat_request import ConsumerGroupHeartbeatRequest

ACTIONS = (
    Request(
        message=ConsumerGroupHeartbeatRequest(
            group_id="a:b",
            member_id="m2",
            rebalance_timeout_ms=60000,
            subscribed_topic_regex=".*orders",
            topic_partitions=(),
        ),
        version=1,
        client=2,
        learns=(("member_epoch", Ref(Kind.GENERATION, "a:b/m2")), ("member_id", Ref(Kind.MEMBER_ID, "a:b"))),
    ),
    Request(message=ConsumerGroupDescribeRequest(group_ids=("a:b", "")), version=0, client=2),
)

replay_all(ACTIONS, ["kafka@4.0.0", "kafka@4.0.2"])
