"""Kafka 4.2.0 and 4.2.1 differ: the coordinator of a share group whose name has a colon.

Found by seed 6, share_state 4, after 6.0 s and 157 steps.
"""

from harness.search.lockstep.actions import Request
from harness.search.neighbours.replay import replay_all
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest

ACTIONS = (
    Request(message=FindCoordinatorRequest(key_type=2, coordinator_keys=("a:b:AAAAAAAAAAAAAAAAAAAAAA:0",)), version=6),
)

replay_all(ACTIONS, ["kafka@4.2.0", "kafka@4.2.1"])
