"""Kafka 4.1.0 and 4.1.2 differ: a member of a consumer group gives up its regular expression.

Found by seed 5, consumer 12, after 11.1 s and 280 steps.
"""

from harness.search.lockstep.actions import Kind, Ref, Request
from harness.search.neighbours.replay import replay_all
from reference_broker.wire.messages.consumer_group_heartbeat_request import ConsumerGroupHeartbeatRequest

ACTIONS = (
    Request(
        message=ConsumerGroupHeartbeatRequest(
            group_id="workers",
            member_id="m0",
            rebalance_timeout_ms=60000,
            subscribed_topic_regex=".*orders",
            topic_partitions=(),
        ),
        version=1,
        learns=(("member_epoch", Ref(Kind.GENERATION, "workers/m0")), ("member_id", Ref(Kind.MEMBER_ID, "workers"))),
    ),
    Request(
        message=ConsumerGroupHeartbeatRequest(
            group_id="workers",
            member_id="m0",
            member_epoch=Ref(Kind.GENERATION, "workers/m0"),
            subscribed_topic_regex="",
        ),
        version=1,
        learns=(("member_epoch", Ref(Kind.GENERATION, "workers/m0")), ("member_id", Ref(Kind.MEMBER_ID, "workers"))),
    ),
)

replay_all(ACTIONS, ["kafka@4.1.0", "kafka@4.1.2"])
