"""Sends the ISR changes of all partitions to the controller: one request at a time, one change a partition.

Source: KIP-497.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, Protocol

from reference_broker.environment import Now
from reference_broker.replication.isr import IsrChange, TopicIdPartition
from reference_broker.replication.local_broker import LocalBroker
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_partition_request import (
    AlterPartitionRequest,
    BrokerState,
    PartitionData,
    TopicData,
)
from reference_broker.wire.messages.alter_partition_response import AlterPartitionResponse
from reference_broker.wire.messages.alter_partition_response import PartitionData as Altered
from reference_broker.wire.primitives import BrokerId, Uuid

RETRY_MS: Final = 50
MOST_CHANGES: Final = 500
"""Changes in one request: a broker that comes back joins thousands of ISRs, and the controller has others to serve."""

OnAltered = Callable[[Altered, Now], None]


class ControllerChannel(Protocol):
    """Sends a broker's requests to the active controller, whoever that is."""

    def request(self, api_key: ApiKey, message: Any, then: Callable[[Any, Now], None], now: Now) -> None:
        """`then` gets the response, or what else came instead of one."""


@dataclass(slots=True)
class AlterPartitions:
    """The changes that are not settled yet, in the order in which they were asked for."""

    local: LocalBroker
    channel: ControllerChannel
    next_deadline_ms: int | None = None
    """When `on_time` must be called next (monotonic)."""
    _unsettled: dict[TopicIdPartition, tuple[IsrChange, OnAltered]] = field(default_factory=dict)
    _is_in_flight: bool = False

    def submit(self, change: IsrChange, then: OnAltered, now: Now) -> bool:
        """Ask for a change; `then` gets the controller's answer. False where an earlier one is not settled yet."""
        if change.partition in self._unsettled:
            return False
        self._unsettled[change.partition] = (change, then)
        self._send(now)
        return True

    def on_time(self, now: Now) -> None:
        """Try again what could not be sent."""
        if self.next_deadline_ms is not None and self.next_deadline_ms <= now.monotonic_ms:
            self.next_deadline_ms = None
            self._send(now)

    def _send(self, now: Now) -> None:
        if self._is_in_flight or not self._unsettled or self.next_deadline_ms is not None:
            return
        self._is_in_flight = True
        sent = [change for change, _ in islice(self._unsettled.values(), MOST_CHANGES)]
        self.channel.request(
            ApiKey.ALTER_PARTITION, self._request(sent), lambda answer, at: self._on_answer(answer, sent, at), now
        )

    def _request(self, changes: list[IsrChange]) -> AlterPartitionRequest:
        topics: dict[Uuid, list[PartitionData]] = {}
        for change in changes:
            topic_id, index = change.partition
            members = tuple(BrokerState(broker_id=BrokerId(one), broker_epoch=epoch) for one, epoch in change.isr)
            topics.setdefault(topic_id, []).append(
                PartitionData(
                    partition_index=index,
                    leader_epoch=change.leader_epoch,
                    new_isr_with_epochs=members,
                    partition_epoch=change.partition_epoch,
                )
            )
        return AlterPartitionRequest(
            broker_id=BrokerId(self.local.node_id),
            broker_epoch=self.local.broker_epoch,
            topics=tuple(TopicData(topic_id=topic_id, partitions=tuple(of)) for topic_id, of in topics.items()),
        )

    def _on_answer(self, answer: Any, sent: list[IsrChange], now: Now) -> None:
        answered: dict[TopicIdPartition, Altered] = {}
        if isinstance(answer, AlterPartitionResponse) and answer.error_code == ErrorCode.NONE:
            for topic in answer.topics:
                answered |= {(topic.topic_id, one.partition_index): one for one in topic.partitions}
        keys = [one.partition for one in sent if one.partition in answered]
        settled = [(self._unsettled.pop(key)[1], answered[key]) for key in keys]
        for then, altered in settled:
            then(altered, now)
        self._is_in_flight = False
        if len(settled) < len(sent):
            self.next_deadline_ms = now.monotonic_ms + RETRY_MS
        self._send(now)
