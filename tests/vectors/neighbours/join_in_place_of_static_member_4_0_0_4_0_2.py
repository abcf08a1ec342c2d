"""Kafka 4.0.0 and 4.0.2 differ: a classic member with another subscription takes the place of a group's only member.

Found by seed 5, consumer 46, after 89.1 s and 857 steps.
"""

from harness.search.lockstep.actions import Kind, Ref, Request
from harness.search.neighbours.replay import replay_all
from reference_broker.wire.messages.consumer_group_heartbeat_request import ConsumerGroupHeartbeatRequest
from reference_broker.wire.messages.join_group_request import JoinGroupRequest, JoinGroupRequestProtocol

ACTIONS = (
    Request(
        message=ConsumerGroupHeartbeatRequest(
            group_id="workers",
            instance_id="i0",
            rebalance_timeout_ms=60000,
            subscribed_topic_names=("nowhere",),
            topic_partitions=(),
        ),
        version=0,
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
                    name="range",
                    metadata=b"\x00\x01\x00\x00\x00\x02\x00\x06orders\x00\x06events\xff\xff\xff\xff\x00\x00\x00\x00",
                ),
            ),
        ),
        version=6,
        client=1,
        learns=(
            ("generation_id", Ref(Kind.GENERATION, "workers/classic")),
            ("member_id", Ref(Kind.MEMBER_ID, "workers/classic")),
        ),
        may_wait=True,
    ),
)

replay_all(ACTIONS, ["kafka@4.0.0", "kafka@4.0.2"])
