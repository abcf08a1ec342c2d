"""Kafka 4.3.1 and 4.4.0 differ: a member of a streams group tells of its warm-up tasks.

Found by seed 2, any_request 153, after 88.3 s and 3,827 steps.
"""

from harness.search.lockstep.actions import Request
from harness.search.neighbours.replay import replay_all
from reference_broker.wire.messages.streams_group_heartbeat_request import (
    StreamsGroupHeartbeatRequest,
    Subtopology,
    TaskIds,
    Topology,
)

ACTIONS = (
    Request(
        message=StreamsGroupHeartbeatRequest(
            topology=Topology(subtopologies=(Subtopology(source_topic_regex=("a",)),)), warmup_tasks=(TaskIds(),)
        ),
        version=0,
        client=1,
    ),
)

replay_all(ACTIONS, ["kafka@4.3.1", "kafka@4.4.0"])
