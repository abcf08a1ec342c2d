"""Kafka 4.3.0 and 4.3.1 differ: a classic member joins a consumer group while migration is disabled.

Found by seed 6, consumer 0, after 0.6 s and 51 steps.
"""

from harness.search.lockstep.actions import Kind, Ref, Request
from harness.search.neighbours.replay import replay_all
from reference_broker.wire.messages.consumer_group_heartbeat_request import ConsumerGroupHeartbeatRequest
from reference_broker.wire.messages.join_group_request import JoinGroupRequest, JoinGroupRequestProtocol

ACTIONS = (
    Request(
        message=ConsumerGroupHeartbeatRequest(
            group_id="others",
            member_id="m2",
            rebalance_timeout_ms=60000,
            subscribed_topic_names=("orders",),
            topic_partitions=(),
        ),
        version=1,
        client=2,
        learns=(("member_epoch", Ref(Kind.GENERATION, "others/m2")), ("member_id", Ref(Kind.MEMBER_ID, "others"))),
    ),
    Request(
        message=JoinGroupRequest(
            group_id="others",
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
            ("generation_id", Ref(Kind.GENERATION, "others/classic")),
            ("member_id", Ref(Kind.MEMBER_ID, "others/classic")),
        ),
        may_wait=True,
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
