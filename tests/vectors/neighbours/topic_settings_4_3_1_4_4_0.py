"""Kafka 4.3.1 and 4.4.0 differ: the settings of a new topic.

Found by seed 2, opening 5, after 0.1 s and 6 steps.
"""

from harness.search.lockstep.actions import Request
from harness.search.neighbours.replay import replay_all
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest

ACTIONS = (
    Request(
        message=CreateTopicsRequest(topics=(CreatableTopic(name="any", num_partitions=1, replication_factor=1),)),
        version=7,
    ),
)

replay_all(ACTIONS, ["kafka@4.3.1", "kafka@4.4.0"])
