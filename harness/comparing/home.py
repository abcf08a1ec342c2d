"""The broker of a cluster that an exchange asks.

An exchange is about the answers of one broker. Where the cluster has several, that broker must lead the topics that a
check makes, and be the coordinator of its groups. So one is chosen that is the coordinator of some, topics are assigned
to it, and names are chosen of which it is the coordinator.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

from harness.clients.client import ClientTrouble
from harness.comparing.connections import Connections
from reference_broker.wire.api_keys import APIS
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import CreatableReplicaAssignment, CreatableTopic
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest
from reference_broker.wire.messages.metadata_request import MetadataRequest
from reference_broker.wire.primitives import BrokerId, MalformedRequest

CANDIDATES: Final = 64
"""Names that are tried: enough that one of them suits among a few brokers."""
COORDINATED_WITHIN_S: Final = 15.0
GROUPS: Final = 0
"""The type of keys of FindCoordinator. Transactional ids have no coordinator: checks find out what is said of that."""


class Home:
    """One broker of several."""

    def __init__(self, broker: int, address: str, connections: Connections) -> None:
        """`broker`: its id; `address`: where it is asked, host:port."""
        self.broker = broker
        self.address = address
        self._connections = connections

    def led(self, topic: CreatableTopic) -> CreatableTopic:
        """A new topic with the broker as the only replica of each partition."""
        assignments = tuple(
            CreatableReplicaAssignment(partition_index=number, broker_ids=(BrokerId(self.broker),))
            for number in range(topic.num_partitions)
        )
        return CreatableTopic(
            name=topic.name, num_partitions=-1, replication_factor=-1, assignments=assignments, configs=topic.configs
        )

    def name(self, real: str) -> str:
        """A name that begins with this one, of which the broker is the coordinator where it is a group's.
        ClientTrouble where there is none."""
        suited = self.coordinated(names_like(real))
        if not suited:
            raise ClientTrouble(f"broker {self.broker} is no longer the coordinator of any of {CANDIDATES} names")
        return suited[0]

    def coordinator_of(self, group: str) -> Home:
        """The coordinator of a group."""
        brokers = _asked(self._connections, self.address, MetadataRequest(topics=())).brokers
        (chosen,) = coordinators([group], self.address, self._connections).values()
        return Home(chosen, address_of(chosen, brokers), self._connections)

    def coordinated(self, groups: Sequence[str]) -> list[str]:
        """Those groups of which the broker is the coordinator. ClientTrouble where they have none after a while."""
        found = coordinators(groups, self.address, self._connections)
        return [group for group, broker in found.items() if broker == self.broker]


def home_of(bootstrap: str, connections: Connections) -> Home | None:
    """The broker to ask, where a cluster has several: the first that is the coordinator of groups. ClientTrouble where
    there is none after a while."""
    brokers = _asked(connections, bootstrap, MetadataRequest(topics=())).brokers
    if len(brokers) < 2:
        return None
    chosen = min(coordinators(names_like("probe"), bootstrap, connections).values())
    return Home(chosen, address_of(chosen, brokers), connections)


def address_of(broker: int, listed: Iterable[Any]) -> str:
    """Where a broker is reached, host:port. ClientTrouble where Metadata does not list it."""
    for one in listed:
        if one.node_id == broker:
            return f"{one.host}:{one.port}"
    raise ClientTrouble(f"broker {broker} is a coordinator, and Metadata does not list it")


def coordinators(groups: Iterable[str], bootstrap: str, connections: Connections) -> dict[str, int]:
    """Group → its coordinator. The first question makes the topic of their offsets, and is asked until each group has
    one. ClientTrouble where it has none after a while."""
    request = FindCoordinatorRequest(key_type=GROUPS, coordinator_keys=tuple(groups))
    deadline = time.monotonic() + COORDINATED_WITHIN_S
    while True:
        found = _asked(connections, bootstrap, request).coordinators
        if not any(one.error_code for one in found):
            return {one.key: int(one.node_id) for one in found}
        if time.monotonic() > deadline:
            said = sorted({ErrorCode(one.error_code).name for one in found if one.error_code})
            raise ClientTrouble(f"FindCoordinator: {', '.join(said)} after {COORDINATED_WITHIN_S:g} s")
        time.sleep(0.05)


def names_like(real: str) -> list[str]:
    """The name, and others that begin with it."""
    return [real, *(f"{real}-{number}" for number in range(1, CANDIDATES))]


def _asked(connections: Connections, bootstrap: str, message: Any) -> Any:
    connection = connections.to(bootstrap)
    try:
        return connection.request(message.API_KEY, connection.highest(message.API_KEY), message)
    except (OSError, MalformedRequest) as trouble:
        connections.drop(bootstrap)
        name = APIS[message.API_KEY].name
        raise ClientTrouble(f"{name} to {bootstrap}: {type(trouble).__name__}: {trouble}") from trouble
