"""Which brokers a partition's replicas go to."""

from __future__ import annotations

from collections.abc import Sequence

from reference_broker.environment import Random
from reference_broker.metadata.brokers import UNASSIGNED, BrokersImage
from reference_broker.metadata.topics import PartitionImage
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.refusal import KafkaError


def place(
    cluster: BrokersImage, chance: Random, *, count: int, factor: int, has_cordons: bool = True
) -> list[tuple[int, ...]]:
    """Replicas for `count` partitions, each starting one broker further, from a random one; active brokers first.

    INVALID_REPLICATION_FACTOR where there are too few brokers; `has_cordons`: its words name cordoned folders.
    """
    active = [broker.id for broker in cluster.active()]
    fenced = [broker for broker in sorted(cluster.brokers) if broker not in active]
    if factor <= 0:
        raise KafkaError(
            ErrorCode.INVALID_REPLICATION_FACTOR,
            f"Invalid replication factor {factor}: the replication factor must be positive.",
        )
    if not active:
        raise KafkaError(
            ErrorCode.INVALID_REPLICATION_FACTOR,
            f"All brokers are currently fenced{', or have all their log directories cordoned' if has_cordons else ''}.",
        )
    if factor > len(cluster.brokers):
        raise KafkaError(
            ErrorCode.INVALID_REPLICATION_FACTOR,
            f"The target replication factor of {factor} cannot be reached because only {len(cluster.brokers)} "
            f"broker(s) are registered"
            f"{' or some brokers have all their log directories cordoned' if has_cordons else ''}.",
        )
    start = chance.randrange(0, len(active))
    placed = []
    for index in range(start, start + count):
        turn = index % len(active)
        placed.append(tuple((active[turn:] + active[:turn] + fenced)[:factor]))
    return placed


def check_manual(cluster: BrokersImage, replicas: Sequence[int], factor: int | None) -> None:
    """INVALID_REPLICA_ASSIGNMENT where a manual assignment cannot be."""
    what = "The manual partition assignment includes"
    code = ErrorCode.INVALID_REPLICA_ASSIGNMENT
    if not replicas:
        raise KafkaError(code, f"{what} an empty replica list.")
    previous = None
    for broker in sorted(replicas):
        if broker not in cluster.brokers:
            raise KafkaError(code, f"{what} broker {broker}, but no such broker is registered.")
        if broker == previous:
            raise KafkaError(code, f"{what} the broker {broker} more than once.")
        previous = broker
    if factor is not None and len(replicas) != factor:
        raise KafkaError(
            code,
            f"{what} a partition with {len(replicas)} replica(s), but this is not consistent with previous "
            f"partitions, which have {factor} replica(s).",
        )


def directory_of(cluster: BrokersImage, broker_id: int) -> Uuid:
    """The folder a new replica goes to: the broker's only one, or not assigned where it has to choose (KIP-858)."""
    broker = cluster.brokers.get(broker_id)
    return broker.log_dirs[0] if broker is not None and len(broker.log_dirs) == 1 else UNASSIGNED


def new_partition(cluster: BrokersImage, index: int, replicas: Sequence[int], isr: Sequence[int]) -> PartitionImage:
    """A partition as it begins: led by the first replica in sync."""
    return PartitionImage(
        index=index,
        replicas=tuple(replicas),
        isr=tuple(isr),
        leader=isr[0],
        leader_epoch=0,
        partition_epoch=0,
        directories=tuple(directory_of(cluster, broker) for broker in replicas),
    )
