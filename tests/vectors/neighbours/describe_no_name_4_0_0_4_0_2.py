"""Kafka 4.0.0 and 4.0.2 differ: a consumer group without a name is described.

Found by seed 2, coordinators 4, after 5.9 s and 116 steps.
"""

from harness.lockstep.actions import Request
from harness.lockstep.neighbours_replay import replay_all
from reference_broker.wire.messages.consumer_group_describe_request import ConsumerGroupDescribeRequest

ACTIONS = (Request(message=ConsumerGroupDescribeRequest(group_ids=("",)), version=0),)

replay_all(ACTIONS, ["kafka@4.0.0", "kafka@4.0.2"])
