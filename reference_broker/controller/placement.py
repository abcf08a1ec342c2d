"""Which brokers a partition's replicas go to: spread over racks first, then over brokers (KIP-36, KIP-631)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reference_broker.environment import Random
from reference_broker.metadata.brokers import UNASSIGNED, BrokerImage, BrokersImage
from reference_broker.metadata.topics import PartitionImage
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.refusal import KafkaError


class _Turns:
    """Brokers that take turns: each partition that asks starts one broker further than the one before."""

    def __init__(self, brokers: Sequence[int], chance: Random) -> None:
        self.brokers = sorted(brokers)
        self._start = chance.randrange(0, len(brokers)) if brokers else 0
        self._partition = 0
        self._given = 0

    def next(self, partition: int) -> int | None:
        """The next broker for a partition; None when all were given."""
        if self.brokers and partition != self._partition:
            self._partition, self._given = partition, 0
            self._start = (self._start + 1) % len(self.brokers)
        if self._given == len(self.brokers):
            return None
        self._given += 1
        return self.brokers[(self._start + self._given - 1) % len(self.brokers)]


class _Rack:
    """The brokers of one rack; those that are alive come first."""

    def __init__(self, brokers: Sequence[BrokerImage], chance: Random) -> None:
        self.fenced = _Turns([one.id for one in brokers if one.is_fenced], chance)
        self.alive = _Turns([one.id for one in brokers if not one.is_fenced], chance)

    def next(self, partition: int) -> int | None:
        """The next broker for a partition; None when all were given."""
        found = self.alive.next(partition)
        return self.fenced.next(partition) if found is None else found


class _Stripes:
    """Places partitions over the racks, each starting one rack further, led by a broker that is alive.

    After as many partitions as there are brokers alive, the placements would repeat: then all is shuffled.
    """

    def __init__(self, brokers: Sequence[BrokerImage], chance: Random) -> None:
        self._chance = chance
        # Brokers without a rack are one rack, before all others.
        names = sorted(dict.fromkeys(one.rack for one in brokers), key=lambda rack: (rack is not None, rack or ""))
        self._racks = [_Rack([one for one in brokers if one.rack == name], chance) for name in names]
        self._start = chance.randrange(0, len(self._racks))
        self._alive = sum(len(rack.alive.brokers) for rack in self._racks)
        self._placed = 0
        self._since_shuffled = 0

    def place(self, factor: int) -> tuple[int, ...]:
        """The replicas of the next partition, its leader first."""
        if self._since_shuffled == self._alive and self._alive > 1:
            self._shuffle()
        count = len(self._racks)
        first, leader = self._lead()
        placed = [leader]
        turn, is_first_passed = self._start, False
        while len(placed) < factor:
            rack, turn = turn, (turn + 1) % count
            if rack == first and not is_first_passed:
                is_first_passed = True  # the leader's rack has had its turn
                continue
            found = self._racks[rack].next(self._placed)
            if found is not None:
                placed.append(found)
        self._placed += 1
        self._since_shuffled += 1
        self._start = (self._start + 1) % count
        return tuple(placed)

    def _lead(self) -> tuple[int, int]:
        """(rack, broker) of the leader: from the first rack in turn that has a broker alive."""
        for ahead in range(len(self._racks)):
            rack = (self._start + ahead) % len(self._racks)
            leader = self._racks[rack].alive.next(self._placed)
            if leader is not None:
                return rack, leader
        raise AssertionError("no broker is alive, though that was checked")

    def _shuffle(self) -> None:
        _shuffle(self._racks, self._chance)
        for rack in self._racks:
            _shuffle(rack.alive.brokers, self._chance)
            _shuffle(rack.fenced.brokers, self._chance)
        self._since_shuffled = 0


def _shuffle(items: list[Any], chance: Random) -> None:
    for at in range(len(items) - 1, 0, -1):
        other = chance.randrange(0, at + 1)
        items[at], items[other] = items[other], items[at]


def place(
    cluster: BrokersImage, chance: Random, *, count: int, factor: int, has_cordons: bool = True
) -> list[tuple[int, ...]]:
    """Replicas for `count` partitions. A broker that stops, or whose folders are all cordoned, gets none.

    INVALID_REPLICATION_FACTOR where there are too few brokers; `has_cordons`: its words name cordoned folders.
    """
    usable = [broker for _, broker in sorted(cluster.brokers.items()) if is_usable(broker)]
    if factor <= 0:
        raise KafkaError(
            ErrorCode.INVALID_REPLICATION_FACTOR,
            f"Invalid replication factor {factor}: the replication factor must be positive.",
        )
    if all(broker.is_fenced for broker in usable):
        raise KafkaError(
            ErrorCode.INVALID_REPLICATION_FACTOR,
            f"All brokers are currently fenced{', or have all their log directories cordoned' if has_cordons else ''}.",
        )
    if factor > len(usable):
        raise KafkaError(
            ErrorCode.INVALID_REPLICATION_FACTOR,
            f"The target replication factor of {factor} cannot be reached because only {len(usable)} "
            f"broker(s) are registered"
            f"{' or some brokers have all their log directories cordoned' if has_cordons else ''}.",
        )
    stripes = _Stripes(usable, chance)
    return [stripes.place(factor) for _ in range(count)]


def is_usable(broker: BrokerImage) -> bool:
    """Whether a broker takes new replicas, now or once it is back."""
    registration = broker.registration
    cordoned = registration.cordoned_log_dirs
    has_room = not broker.log_dirs or cordoned is None or any(one not in cordoned for one in broker.log_dirs)
    return has_room and not registration.in_controlled_shutdown


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
