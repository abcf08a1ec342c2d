"""Topics that nobody created: internal ones when they are first needed, and those that a client names.

The broker asks the active controller for them, and its clients ask again until they are there. Source: Kafka
documentation, auto.create.topics.enable; KIP-590.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from reference_broker.broker.channel import ControllerChannel
from reference_broker.effects import PeerLost
from reference_broker.environment import Now
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import (
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from reference_broker.wire.primitives import TopicName

OFFSETS: Final = "__consumer_offsets"
TRANSACTIONS: Final = "__transaction_state"
SHARE_STATE: Final = "__share_group_state"
TIMEOUT_MS: Final = 30_000
EXPECTED: Final = (ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS)


class TopicCreation:
    """Asks for a topic once at a time, however many clients need it."""

    def __init__(self, channel: ControllerChannel, log: Any) -> None:
        self._channel, self._log = channel, log
        self._asked: dict[str, None] = {}

    def ask(self, name: str, config: BrokerConfig, now: Now) -> None:
        """Have a topic made; whether that succeeds is seen in the metadata."""
        if name in self._asked:
            return
        self._asked[name] = None
        request = CreateTopicsRequest(topics=(wanted_topic(name, config),), timeout_ms=TIMEOUT_MS)
        self._channel.request(ApiKey.CREATE_TOPICS, request, partial(self._on_outcome, name), now)

    def _on_outcome(self, name: str, outcome: Any, now: Now) -> None:
        self._asked.pop(name, None)
        if isinstance(outcome, PeerLost):
            self._log("WARN", f"the topic {name} was not created: {outcome.reason}")
            return
        for result in outcome.topics:
            if result.error_code not in EXPECTED:
                why = result.error_message or ErrorCode(result.error_code).name
                self._log("WARN", f"the topic {name} was not created: {why}")


def wanted_topic(name: str, config: BrokerConfig) -> CreatableTopic:
    """The request for a topic that is not there: one of Kafka's own with its settings, any other with the defaults."""
    if name == OFFSETS:
        prefix, settings = "offsets.topic", {"cleanup.policy": "compact", "compression.type": "producer"}
    elif name == TRANSACTIONS:
        prefix = "transaction.state.log"
        settings = {
            "unclean.leader.election.enable": "false",
            "compression.type": "uncompressed",
            "cleanup.policy": "compact",
            "min.insync.replicas": str(config.number(f"{prefix}.min.isr")),
        }
    elif name == SHARE_STATE:
        prefix = "share.coordinator.state.topic"
        settings = {
            "cleanup.policy": "delete",
            "compression.type": "producer",
            "min.insync.replicas": str(config.number(f"{prefix}.min.isr")),
            "retention.ms": "-1",
        }
    else:
        return CreatableTopic(
            name=TopicName(name),
            num_partitions=config.number("num.partitions"),
            replication_factor=config.number("default.replication.factor"),
        )
    settings["segment.bytes"] = str(config.number(f"{prefix}.segment.bytes"))
    return CreatableTopic(
        name=TopicName(name),
        num_partitions=config.number(f"{prefix}.num.partitions"),
        replication_factor=config.number(f"{prefix}.replication.factor"),
        configs=tuple(CreatableTopicConfig(name=key, value=value) for key, value in settings.items()),
    )
