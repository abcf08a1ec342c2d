"""Kafka 4.0.0 and 4.0.2 differ: the versions that they list.

Found by seed 5, opening 0, after 0.0 s and 1 steps.
"""

from harness.search.lockstep.actions import Request
from harness.search.neighbours.replay import replay_all
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest

ACTIONS = (
    Request(message=ApiVersionsRequest(client_software_name="lockstep", client_software_version="1"), version=4),
)

replay_all(ACTIONS, ["kafka@4.0.0", "kafka@4.0.2"])
