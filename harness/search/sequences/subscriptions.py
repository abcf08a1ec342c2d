"""Encodes the subscription that a consumer sends in JoinGroup (ConsumerProtocolSubscription, version 1). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from reference_broker.wire.codec import encode
from reference_broker.wire.messages.consumer_protocol_subscription import ConsumerProtocolSubscription
from reference_broker.wire.primitives import TopicName


def subscription(topics: Sequence[str]) -> bytes:
    """The encoded subscription, preceded by its version. Kafka never answers a JoinGroup with an invalid one."""
    message = ConsumerProtocolSubscription(topics=tuple(map(TopicName, topics)))
    return b"\0\1" + b"".join(map(bytes, encode(message, 1)))  # type: ignore[arg-type]
