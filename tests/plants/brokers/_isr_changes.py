"""How plants have the controller judge another change of an ISR than the one that was asked for."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from reference_broker.controller import alter_partition
from reference_broker.metadata.brokers import BrokersImage
from reference_broker.metadata.topics import PartitionImage
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_partition_request import BrokerState, PartitionData


class Asked(Struct, frozen=True):
    """What a broker asked for: the change, the ISR in it, who sent it."""

    change: PartitionData
    isr: tuple[BrokerState, ...]
    sender: int


def judge_instead(other: Callable[[PartitionImage, Asked], Asked]) -> None:
    """Of a partition that is there, `other` is judged in place of what was asked."""
    plain = alter_partition._reason_refused

    def refused(
        cluster: BrokersImage,
        partition: PartitionImage | None,
        change: PartitionData,
        isr: tuple[BrokerState, ...],
        sender: int,
    ) -> ErrorCode:
        asked = Asked(change, isr, sender)
        if partition is not None:
            asked = other(partition, asked)
        return plain(cluster, partition, asked.change, asked.isr, asked.sender)

    alter_partition._reason_refused = refused
