"""Kafka 4.0.0 and 4.0.2 differ: two consumer groups are described at once.

Found by seed 5, consumer 22, after 57.4 s and 470 steps.
"""

from harness.search.lockstep.actions import Request
from harness.search.neighbours.replay import replay_all
from reference_broker.wire.messages.consumer_group_describe_request import ConsumerGroupDescribeRequest

ACTIONS = (Request(message=ConsumerGroupDescribeRequest(group_ids=("nobody's", "workers")), version=1),)

replay_all(ACTIONS, ["kafka@4.0.0", "kafka@4.0.2"])
