"""Kafka 4.3.1 and 4.4.0 differ: the settings of a group.

Found by seed 2, topics 6, after 1.9 s and 199 steps.
"""

from harness.search.lockstep.actions import Kind, Ref, Request
from harness.search.neighbours.replay import replay_all
from reference_broker.wire.messages.describe_configs_request import DescribeConfigsRequest, DescribeConfigsResource

ACTIONS = (
    Request(
        message=DescribeConfigsRequest(
            resources=(
                DescribeConfigsResource(
                    resource_type=32, resource_name=Ref(Kind.NAME, "workers"), configuration_keys=None
                ),
            )
        ),
        version=1,
        client=2,
    ),
)

replay_all(ACTIONS, ["kafka@4.3.1", "kafka@4.4.0"])
