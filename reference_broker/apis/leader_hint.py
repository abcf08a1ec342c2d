"""What a client that asked the wrong broker, or knows an old leader epoch, is told of the leader (KIP-951)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from reference_broker.apis.context import BrokerContext
from reference_broker.wire.primitives import BrokerId


class LeaderAddress(NamedTuple):
    """Where a leader listens."""

    node_id: BrokerId
    host: str
    port: int
    rack: str | None


def leader_of(topic: str, index: int, ctx: BrokerContext) -> tuple[int, int]:
    """(leader, leader epoch) as this broker knows them; -1 each where it knows none."""
    partition = ctx.partitions.find(topic, index)
    if partition is not None:
        return partition.leader, partition.leader_epoch
    image = ctx.image.partition(topic, index)
    return (-1, -1) if image is None else (image.leader, image.leader_epoch)


def addresses_of(leaders: Iterable[int], ctx: BrokerContext) -> list[LeaderAddress]:
    """Where the leaders are that live and listen on the request's listener."""
    found = []
    for leader in dict.fromkeys(leaders):
        broker = ctx.image.brokers.get(leader)
        endpoint = None if broker is None or broker.is_fenced else broker.endpoint(ctx.listener)
        if broker is not None and endpoint is not None:
            found.append(LeaderAddress(BrokerId(leader), *endpoint, broker.rack))
    return found
