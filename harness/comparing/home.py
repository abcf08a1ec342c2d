"""Chooses the broker of a cluster to which an exchange sends its requests.

An exchange needs all answers from one broker. In a cluster of several, that broker must lead the check's topics and
coordinate its groups. Therefore a broker is chosen that coordinates some groups; topics are assigned to it, and group
ids are chosen that it coordinates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from harness.clients.client import ClientTrouble
from harness.comparing.connections import Connections
from harness.hosts import cluster_time as time
from reference_broker.wire.api_keys import APIS
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import CreatableReplicaAssignment, CreatableTopic
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest
from reference_broker.wire.messages.metadata_request import MetadataRequest
from reference_broker.wire.primitives import BrokerId, MalformedRequest

CANDIDATES: Final = 64
"""Number of names to try; enough to find one that a given broker coordinates, among a few brokers."""
COORDINATED_WITHIN_S: Final = 15.0
GROUPS: Final = 0
"""Key type of FindCoordinator for groups. Other types are not requested here; checks test them themselves."""


class Home:
    """The chosen broker of a cluster with several."""

    def __init__(self, broker: int, address: str, connections: Connections) -> None:
        """`broker` is its id, `address` its host:port."""
        self.broker = broker
        self.address = address
        self._connections = connections

    def led(self, topic: CreatableTopic) -> CreatableTopic:
        """The topic with this broker as the only replica of each partition."""
        assignments = tuple(
            CreatableReplicaAssignment(partition_index=number, broker_ids=(BrokerId(self.broker),))
            for number in range(topic.num_partitions)
        )
        return CreatableTopic(
            name=topic.name, num_partitions=-1, replication_factor=-1, assignments=assignments, configs=topic.configs
        )

    def name(self, real: str) -> str:
        """A name that begins with `real` and that, as a group id, this broker coordinates. ClientTrouble if none of the
        names tried is."""
        suited = self.coordinated(names_like(real))
        if not suited:
            raise ClientTrouble(f"broker {self.broker} is no longer the coordinator of any of {CANDIDATES} names")
        return suited[0]

    def coordinator_of(self, group: str) -> Home:
        """The Home for the coordinator of a group."""
        brokers = _asked(self._connections, self.address, MetadataRequest(topics=())).brokers
        (chosen,) = coordinators([group], self.address, self._connections).values()
        return Home(chosen, address_of(chosen, brokers), self._connections)

    def coordinated(self, groups: Sequence[str]) -> list[str]:
        """The groups that this broker coordinates. ClientTrouble if a group has no coordinator after 15 s."""
        found = coordinators(groups, self.address, self._connections)
        return [group for group, broker in found.items() if broker == self.broker]


def home_of(bootstrap: str, connections: Connections) -> Home | None:
    """The broker for an exchange: the one with the lowest id that coordinates some group; None if the cluster has only
    one broker. ClientTrouble if there is no coordinator after 15 s."""
    brokers = _asked(connections, bootstrap, MetadataRequest(topics=())).brokers
    if len(brokers) < 2:
        return None
    chosen = min(coordinators(names_like("probe"), bootstrap, connections).values())
    return Home(chosen, address_of(chosen, brokers), connections)


def address_of(broker: int, listed: Iterable[Any]) -> str:
    """The host:port of a broker. ClientTrouble if Metadata does not list it."""
    for one in listed:
        if one.node_id == broker:
            return f"{one.host}:{one.port}"
    raise ClientTrouble(f"broker {broker} is a coordinator, and Metadata does not list it")


def coordinators(groups: Iterable[str], bootstrap: str, connections: Connections) -> dict[str, int]:
    """Group → broker id of its coordinator. The first request creates __consumer_offsets; it is repeated until each
    group has a coordinator. ClientTrouble after 15 s."""
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
    """The name, and further names that begin with it."""
    return [real, *(f"{real}-{number}" for number in range(1, CANDIDATES))]


def _asked(connections: Connections, bootstrap: str, message: Any) -> Any:
    connection = connections.to(bootstrap)
    try:
        return connection.request(message.API_KEY, connection.highest(message.API_KEY), message)
    except (OSError, MalformedRequest) as trouble:
        connections.drop(bootstrap)
        name = APIS[message.API_KEY].name
        raise ClientTrouble(f"{name} to {bootstrap}: {type(trouble).__name__}: {trouble}") from trouble
