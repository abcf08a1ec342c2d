"""Kafka 4.3.1 and 4.4.0 differ: the message about a setting of a group that is out of bounds.

Found by seed 2, any_request 33, after 28.5 s and 834 steps.
"""

from harness.search.lockstep.actions import Kind, Ref, Request
from harness.search.neighbours.replay import replay_all
from reference_broker.wire.messages.alter_configs_request import (
    AlterableConfig,
    AlterConfigsRequest,
    AlterConfigsResource,
)

ACTIONS = (
    Request(
        message=AlterConfigsRequest(
            resources=(
                AlterConfigsResource(
                    resource_type=32,
                    resource_name=Ref(Kind.NAME, "workers"),
                    configs=(AlterableConfig(name="consumer.session.timeout.ms", value="44999"),),
                ),
            ),
            validate_only=True,
        ),
        version=2,
        client=2,
    ),
)

replay_all(ACTIONS, ["kafka@4.3.1", "kafka@4.4.0"])
