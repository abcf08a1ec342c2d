"""The topics that a consumer subscribed to, out of the metadata of its JoinGroup request. Source: consumer protocol."""

from __future__ import annotations

from reference_broker.wire.codec import decode_prefix
from reference_broker.wire.messages.consumer_protocol_subscription import ConsumerProtocolSubscription
from reference_broker.wire.primitives import MalformedRequest

CONSUMER: str = "consumer"
"""The protocol type whose metadata a broker can read."""
VERSION_SIZE = 2


def subscribed_topics(metadata: bytes) -> tuple[str, ...] | None:
    """The topics; None where the bytes are no subscription. Every version begins as version 0 does."""
    if len(metadata) < VERSION_SIZE or int.from_bytes(metadata[:VERSION_SIZE], "big", signed=True) < 0:
        return None
    try:
        subscription, _ = decode_prefix(ConsumerProtocolSubscription, 0, metadata, VERSION_SIZE)
    except MalformedRequest:
        return None
    return tuple(subscription.topics)
