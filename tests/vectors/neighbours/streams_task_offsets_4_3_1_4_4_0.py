"""Kafka 4.3.1 and 4.4.0 differ: a member of a streams group tells the ends of its tasks' changelogs.

Found by seed 5, streams 8, after 9.3 s and 153 steps.
"""

from harness.search.lockstep.actions import Kind, Ref, Request
from harness.search.neighbours.replay import replay_all
from reference_broker.wire.messages.streams_group_heartbeat_request import (
    StreamsGroupHeartbeatRequest,
    TaskOffset,
    Topology,
)

ACTIONS = (
    Request(
        message=StreamsGroupHeartbeatRequest(
            group_id="workers",
            member_id="m2",
            rebalance_timeout_ms=60000,
            topology=Topology(),
            active_tasks=(),
            standby_tasks=(),
            warmup_tasks=(),
            task_end_offsets=(TaskOffset(),),
        ),
        version=0,
        client=2,
        learns=(("member_epoch", Ref(Kind.GENERATION, "workers/m2")), ("member_id", Ref(Kind.MEMBER_ID, "workers"))),
    ),
)

replay_all(ACTIONS, ["kafka@4.3.1", "kafka@4.4.0"])
