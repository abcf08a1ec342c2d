"""Kafka 4.1.0 and 4.1.2 differ: a classic member takes the place of a group's only member, and the group is described.

Found by seed 5, consumer 54, after 29.7 s and 1,096 steps.
"""

from harness.search.lockstep.actions import Kind, Ref, Request
from harness.search.neighbours.replay import replay_all
from reference_broker.wire.messages.consumer_group_heartbeat_request import ConsumerGroupHeartbeatRequest
from reference_broker.wire.messages.describe_groups_request import DescribeGroupsRequest
from reference_broker.wire.messages.join_group_request import JoinGroupRequest, JoinGroupRequestProtocol

ACTIONS = (
    Request(
        message=ConsumerGroupHeartbeatRequest(
            group_id="workers",
            member_id="m1",
            instance_id="i0",
            rebalance_timeout_ms=60000,
            subscribed_topic_names=("orders",),
            topic_partitions=(),
        ),
        version=1,
        client=1,
        learns=(("member_epoch", Ref(Kind.GENERATION, "workers/m1")), ("member_id", Ref(Kind.MEMBER_ID, "workers"))),
    ),
    Request(
        message=JoinGroupRequest(
            group_id="workers",
            session_timeout_ms=45000,
            group_instance_id="i0",
            protocol_type="consumer",
            protocols=(
                JoinGroupRequestProtocol(
                    name="range", metadata=b"\x00\x01\x00\x00\x00\x01\x00\x06orders\xff\xff\xff\xff\x00\x00\x00\x00"
                ),
            ),
        ),
        version=9,
        client=2,
        learns=(
            ("generation_id", Ref(Kind.GENERATION, "workers/classic")),
            ("member_id", Ref(Kind.MEMBER_ID, "workers/classic")),
        ),
        may_wait=True,
    ),
    Request(message=DescribeGroupsRequest(groups=("workers",)), version=6),
)

replay_all(ACTIONS, ["kafka@4.1.0", "kafka@4.1.2"])
