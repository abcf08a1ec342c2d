"""What operators ask a cluster for while faults come and go, as data: partitions, topics, settings, voters."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from random import Random
from typing import Final

from msgspec import Struct


class Request(StrEnum):
    """What is asked for."""

    REASSIGN = "reassign"
    """A partition to the nodes, in that order (KIP-455)."""
    CANCEL = "cancel the reassignment of"
    PREFER = "elect the preferred leader of"
    ELECT_UNCLEAN = "elect uncleanly for"
    """ElectLeaders UNCLEAN (KIP-460)."""
    ALLOW_UNCLEAN = "allow unclean elections of"
    """unclean.leader.election.enable of the topic."""
    FORBID_UNCLEAN = "forbid unclean elections of"
    CREATE = "create"
    """A topic with `number` partitions."""
    DELETE = "delete"
    GROW = "grow"
    """To `number` partitions."""
    CONFIGURE = "configure"
    """segment.ms of a topic, to `number`."""
    ADD_VOTER = "add voter"
    """AddRaftVoter (KIP-853)."""
    REMOVE_VOTER = "remove voter"


class Operation(Struct, frozen=True):
    """One request, at a time since the beginning of the schedule."""

    at_ms: int
    request: Request
    topic: str = ""
    partition: int = -1
    nodes: tuple[int, ...] = ()
    number: int = 0

    def __str__(self) -> str:
        place = self.topic if self.partition < 0 else f"{self.topic}-{self.partition}"
        words = [f"{self.at_ms} ms", self.request.value, place, *map(str, self.nodes)]
        return " ".join([*filter(None, words), f"to {self.number}"] if self.number else filter(None, words))


PARTITION_REQUESTS: Final = (Request.REASSIGN, Request.REASSIGN, Request.CANCEL, Request.PREFER)
TOPIC_REQUESTS: Final = (Request.CREATE, Request.CREATE, Request.DELETE, Request.GROW, Request.CONFIGURE)
UNCLEAN_REQUESTS: Final = (
    *(Request.ELECT_UNCLEAN, Request.ELECT_UNCLEAN, Request.ELECT_UNCLEAN),
    *(Request.ALLOW_UNCLEAN, Request.ALLOW_UNCLEAN, Request.FORBID_UNCLEAN),
)
VOTER_REQUESTS: Final = (Request.ADD_VOTER, Request.ADD_VOTER, Request.REMOVE_VOTER)
OTHER_TOPICS: Final = ("other-0", "other-1")
"""Topics that come and go."""


def random_operations(
    chance: Random,
    requests: Sequence[Request],
    *,
    topic: str,
    partitions: int,
    brokers: Sequence[int],
    controllers: Sequence[int],
    duration_ms: int,
    gap_ms: int,
) -> tuple[Operation, ...]:
    """Operations for a time, one every `gap_ms` on the average."""
    operations: list[Operation] = []
    at_ms = chance.randrange(1, 2 * gap_ms)
    while at_ms < duration_ms:
        request = chance.choice(requests)
        nodes: tuple[int, ...] = ()
        partition, number, name = -1, 0, topic
        if request in TOPIC_REQUESTS and request is not Request.CONFIGURE:
            name = chance.choice(OTHER_TOPICS)
            number = 0 if request is Request.DELETE else chance.randrange(1, 4)
        elif request is Request.CONFIGURE:
            number = chance.choice((60_000, 600_000, 3_600_000))
        elif request in VOTER_REQUESTS:
            name, nodes = "", (chance.choice(controllers),)
        elif request not in (Request.ALLOW_UNCLEAN, Request.FORBID_UNCLEAN):
            partition = chance.randrange(0, partitions)
            if request is Request.REASSIGN:
                nodes = tuple(chance.sample(brokers, chance.randrange(2, 4)))
        operations.append(Operation(at_ms, request, name, partition, nodes, number))
        at_ms += chance.randrange(1, 2 * gap_ms)
    return tuple(operations)
