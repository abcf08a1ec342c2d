"""How the leader of a classic group shares partitions out, and the bytes in which its members tell their topics and
learn their partitions (ConsumerProtocolSubscription, ConsumerProtocolAssignment).
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping
from typing import Final

from reference_broker.wire.codec import decode_prefix, encode_bytes
from reference_broker.wire.messages.consumer_protocol_assignment import ConsumerProtocolAssignment
from reference_broker.wire.messages.consumer_protocol_assignment import TopicPartition as AssignedTopic
from reference_broker.wire.messages.consumer_protocol_subscription import ConsumerProtocolSubscription
from reference_broker.wire.primitives import TopicName

NAME: Final = "range"
_VERSION: Final = 0
"""In front of the bytes; all versions can be read as this one."""
TopicPartitions = tuple[tuple[str, int], ...]


def shares(topics_of: Mapping[str, Collection[str]], partitions: Mapping[str, int]) -> dict[str, TopicPartitions]:
    """Member → its partitions, as Kafka's RangeAssignor gives them: the partitions of each topic in consecutive ranges
    to its subscribers, which are sorted by member id; the first ones have one more where they do not divide evenly.

    `topics_of` says what each member subscribes to, `partitions` how many each topic has.
    """
    found: dict[str, list[tuple[str, int]]] = {member: [] for member in topics_of}
    for topic, count in sorted(partitions.items()):
        members = sorted(member for member, topics in topics_of.items() if topic in topics)
        begin = 0
        for number, member in enumerate(members):
            end = begin + count // len(members) + (number < count % len(members))
            found[member] += [(topic, partition) for partition in range(begin, end)]
            begin = end
    return {member: tuple(own) for member, own in found.items()}


def subscription(topics: Collection[str]) -> bytes:
    """What a member says when it joins."""
    return struct.pack(">h", _VERSION) + encode_bytes(ConsumerProtocolSubscription(topics=tuple(topics)), _VERSION)


def subscribed(data: bytes) -> tuple[str, ...]:
    """The topics in a member's subscription. MalformedRequest when it is none."""
    found, _ = decode_prefix(ConsumerProtocolSubscription, _VERSION, data, 2)
    return tuple(found.topics)


def assignment(partitions: TopicPartitions) -> bytes:
    """What the leader gives a member."""
    topics = dict.fromkeys(topic for topic, _ in partitions)
    named = tuple(
        AssignedTopic(topic=TopicName(topic), partitions=tuple(index for name, index in partitions if name == topic))
        for topic in topics
    )
    message = ConsumerProtocolAssignment(assigned_partitions=named)
    return struct.pack(">h", _VERSION) + encode_bytes(message, _VERSION)


def assigned(data: bytes) -> TopicPartitions:
    """The partitions in a member's assignment, sorted; none where it is empty. MalformedRequest when it is none."""
    if len(data) < 2:
        return ()
    found, _ = decode_prefix(ConsumerProtocolAssignment, _VERSION, data, 2)
    return tuple(sorted((str(one.topic), index) for one in found.assigned_partitions for index in one.partitions))
