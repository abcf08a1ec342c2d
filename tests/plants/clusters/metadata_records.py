"""A small metadata log, right in all, and what can be wrong with one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from harness.replicas.metadata_log import MetadataLog, MetadataRecord, Snapshot
from reference_broker.wire.messages.broker_registration_change_record import BrokerRegistrationChangeRecord
from reference_broker.wire.messages.config_record import ConfigRecord
from reference_broker.wire.messages.partition_change_record import PartitionChangeRecord
from reference_broker.wire.messages.partition_record import PartitionRecord
from reference_broker.wire.messages.register_broker_record import RegisterBrokerRecord
from reference_broker.wire.messages.topic_record import TopicRecord
from reference_broker.wire.primitives import BrokerId, TopicName, Uuid

ORDERS = Uuid(bytes(range(16)))
TOPIC = 2


def registration(broker: int, epoch: int, life: int = 1) -> RegisterBrokerRecord:
    """A broker comes, unfenced."""
    incarnation = Uuid(bytes([broker, life]) + bytes(14))
    return RegisterBrokerRecord(
        broker_id=BrokerId(broker), broker_epoch=epoch, incarnation_id=incarnation, fenced=False
    )


def fencing(broker: int, epoch: int, fenced: int) -> BrokerRegistrationChangeRecord:
    """1 fences it, -1 unfences it."""
    return BrokerRegistrationChangeRecord(broker_id=BrokerId(broker), broker_epoch=epoch, fenced=fenced)


def partition(**more: Any) -> PartitionRecord:
    """orders-0 on three brokers, led by the first."""
    return PartitionRecord(
        **{
            "partition_id": 0,
            "topic_id": ORDERS,
            "replicas": (1, 2, 3),
            "isr": (1, 2, 3),
            "leader": BrokerId(1),
            "leader_epoch": 4,
            "partition_epoch": 7,
            **more,
        }
    )


def change(**more: Any) -> PartitionChangeRecord:
    """Of orders-0."""
    return PartitionChangeRecord(partition_id=0, topic_id=ORDERS, **more)


MESSAGES: tuple[Any, ...] = (
    registration(1, 1),
    registration(2, 2),
    registration(3, 3),
    TopicRecord(name=TopicName("orders"), topic_id=ORDERS),
    partition(),
    ConfigRecord(resource_type=TOPIC, resource_name="orders", name="retention.ms", value="1000"),
    fencing(3, 3, 1),
    change(isr=(1, 2)),
    registration(3, 8, life=2),
    change(isr=(1, 2, 3)),
    change(leader=BrokerId(2), isr=(2, 3)),
)
MIDDLE = 6
"""Where its snapshot ends."""
OF_SNAPSHOT = (*MESSAGES[:5], MESSAGES[5])


def recorded(messages: Sequence[Any]) -> tuple[MetadataRecord, ...]:
    """Records at offsets from 0, each a batch of its own."""
    return tuple(MetadataRecord(offset, 1, offset, message) for offset, message in enumerate(messages))


def log(
    messages: Sequence[Any] = MESSAGES, node: int = 1, snapshot: Sequence[Any] = OF_SNAPSHOT, end: int = MIDDLE
) -> MetadataLog:
    """A node's log with a snapshot in its middle."""
    return MetadataLog(node, recorded(messages), 0, len(messages), (Snapshot(end, 1, recorded(snapshot)),))


def in_place_of(number: int, message: Any) -> tuple[Any, ...]:
    """The messages with another one somewhere."""
    return (*MESSAGES[:number], message, *MESSAGES[number + 1 :])


def and_then(*messages: Any) -> tuple[Any, ...]:
    """The messages, and some more."""
    return (*MESSAGES, *messages)


UNSOUND: dict[str, tuple[Sequence[Any], str]] = {
    "a leader that is not in the ISR": (and_then(change(isr=(3,))), "the leader 2 is not in the ISR (3,)"),
    "an ISR that is no replica": (and_then(change(isr=(2, 3, 9))), "has [9], of which none is a replica"),
    "a partition epoch that falls": (and_then(partition(leader_epoch=9)), "partition epoch goes from 10 to 7"),
    "a leader epoch that falls": (and_then(partition(partition_epoch=99)), "leader epoch goes from 5 to 4"),
    "a new leader in an old epoch": (
        and_then(partition(partition_epoch=99, leader_epoch=5, leader=BrokerId(3))),
        "the leader goes from 2 to 3 within leader epoch 5",
    ),
    "a leader that was not in sync": (
        and_then(change(leader=BrokerId(1), isr=(1,))),
        "the leader 1 was neither in the ISR (2, 3) nor eligible ()",
    ),
    "a fenced broker that joins the ISR": (
        in_place_of(8, fencing(2, 2, -1)),
        "broker 3 joins the ISR while it is fenced",
    ),
    "a broker epoch that falls": (in_place_of(8, registration(3, 2, life=2)), "with epoch 2, after 3"),
}
"""(messages, what must be said of them)."""

WRONG_SNAPSHOTS: dict[str, Callable[[], MetadataLog]] = {
    "lacks a setting": lambda: log(snapshot=OF_SNAPSHOT[:-1]),
    "has another leader": lambda: log(snapshot=(*OF_SNAPSHOT[:4], partition(leader=BrokerId(3)), OF_SNAPSHOT[5])),
    "ends too early": lambda: log(snapshot=OF_SNAPSHOT[:2]),
    "is ahead of its end": lambda: log(snapshot=(*OF_SNAPSHOT, fencing(2, 2, 1))),
}


def other_log() -> MetadataLog:
    """Of node 2, with another record at offset 7."""
    return replace(log(in_place_of(7, change(isr=(1,)))), node=2)
