"""Kafka 4.3.1 and 4.4.0 differ: a static member joins a streams group.

Found by seed 5, streams 32, after 39.7 s and 497 steps.
"""

from harness.search.lockstep.actions import Kind, Ref, Request
from harness.search.neighbours.replay import replay_all
from reference_broker.wire.messages.streams_group_heartbeat_request import StreamsGroupHeartbeatRequest, Topology

ACTIONS = (
    Request(
        message=StreamsGroupHeartbeatRequest(
            group_id="workers",
            member_id="m2",
            instance_id="i0",
            rebalance_timeout_ms=60000,
            topology=Topology(),
            active_tasks=(),
            standby_tasks=(),
            warmup_tasks=(),
        ),
        version=0,
        client=2,
        learns=(("member_epoch", Ref(Kind.GENERATION, "workers/m2")), ("member_id", Ref(Kind.MEMBER_ID, "workers"))),
    ),
)

replay_all(ACTIONS, ["kafka@4.3.1", "kafka@4.4.0"])
