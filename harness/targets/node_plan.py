"""The nodes of a cluster before they are started: ids, roles, addresses, ports; and the settings that follow. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.targets.broker_properties import BASE

CLIENTS = "PLAINTEXT"
"""The listener of clients."""
INTERNAL = "INTERNAL"
"""The listener between brokers, a port of its own so that it can be cut alone. A single node has none."""
CONTROLLER = "CONTROLLER"
"""The listener of controllers."""
FIRST_CONTROLLER = 101
"""Id of the first node that is a controller only; brokers count from 1."""
MOST_REPLICAS = 3
"""Of internal topics, as Kafka's defaults want them."""


class Role(StrEnum):
    """What a node may be (process.roles)."""

    BROKER = "broker"
    CONTROLLER = "controller"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlan:
    """One node: who it is and where it listens."""

    id: int
    roles: tuple[Role, ...]
    host: str
    """The address at which others reach it, and from which its own packets come where it has one of its own."""
    ports: Mapping[str, int]
    """Listener → port."""
    log_dirs: tuple[str, ...]
    rack: str | None = None
    directory_id: str = ""
    """Of its first folder, where it is given before formatting: voters of a dynamic quorum are known by it."""
    bind: str = ""
    """The address at which it listens; that of `host` when empty."""
    clients_host: str = ""
    """Where clients reach it, if they do not at `host`: by a published port."""

    @property
    def is_broker(self) -> bool:
        """Whether clients can be served by it."""
        return Role.BROKER in self.roles

    @property
    def address(self) -> tuple[str, int]:
        """Host and port for clients; of a node that is a controller only, its controllers' listener."""
        return self.clients_host or self.host, self.ports[CLIENTS if self.is_broker else CONTROLLER]

    @property
    def is_controller(self) -> bool:
        """Whether it is a voter of the metadata quorum."""
        return Role.CONTROLLER in self.roles


def node_roles(brokers: int, controllers: int) -> tuple[tuple[int, tuple[Role, ...]], ...]:
    """(id, roles) of each node: without controllers of their own every broker is one, as in small clusters."""
    if not controllers:
        return tuple((number, (Role.BROKER, Role.CONTROLLER)) for number in range(1, brokers + 1))
    return (
        *((number, (Role.BROKER,)) for number in range(1, brokers + 1)),
        *((FIRST_CONTROLLER + number, (Role.CONTROLLER,)) for number in range(controllers)),
    )


def listeners_of(roles: Sequence[Role], is_alone: bool) -> tuple[str, ...]:
    """The listeners that a node has."""
    of_brokers = (CLIENTS,) if is_alone else (CLIENTS, INTERNAL)
    return (*(of_brokers if Role.BROKER in roles else ()), *((CONTROLLER,) if Role.CONTROLLER in roles else ()))


def first_voters(nodes: Sequence[NodePlan]) -> str:
    """The voters with which a dynamic quorum begins, as kafka-storage takes them; empty where voters are fixed."""
    controllers = [one for one in nodes if one.is_controller]
    if not all(one.directory_id for one in controllers):
        return ""
    return ",".join(f"{one.id}@{one.host}:{one.ports[CONTROLLER]}:{one.directory_id}" for one in controllers)


def settings_of(node: NodePlan, nodes: Sequence[NodePlan], overrides: Mapping[str, str]) -> dict[str, str]:
    """All settings of a node of a cluster, Kafka's own keys; `overrides` are the last word."""
    brokers = sum(1 for one in nodes if one.is_broker)
    replicas, in_sync = min(brokers, MOST_REPLICAS), 2 if brokers >= MOST_REPLICAS else 1
    controllers = [one for one in nodes if one.is_controller]
    quorum = (
        "controller.quorum.voters",
        ",".join(f"{one.id}@{one.host}:{one.ports[CONTROLLER]}" for one in controllers),
    )
    if all(one.directory_id for one in controllers):
        addresses = ",".join(f"{one.host}:{one.ports[CONTROLLER]}" for one in controllers)
        quorum = ("controller.quorum.bootstrap.servers", addresses)
    served = {name: (node.host, port) for name, port in node.ports.items() if name != CONTROLLER}
    if node.is_broker:
        served[CLIENTS] = node.address
    listeners = sorted({name for one in nodes for name in one.ports}, reverse=True)
    settings = {
        **BASE,
        "process.roles": ",".join(node.roles),
        "node.id": str(node.id),
        "listeners": ",".join(f"{name}://{node.bind or node.host}:{port}" for name, port in node.ports.items()),
        "advertised.listeners": ",".join(f"{name}://{host}:{port}" for name, (host, port) in served.items()),
        "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in listeners),
        "inter.broker.listener.name": INTERNAL,
        quorum[0]: quorum[1],
        "log.dirs": ",".join(node.log_dirs),
    }
    for topic in ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic"):
        settings[f"{topic}.replication.factor"] = str(replicas)
    for topic in ("transaction.state.log", "share.coordinator.state.topic"):
        settings[f"{topic}.min.isr"] = str(in_sync)
    if not node.is_broker:
        del settings["advertised.listeners"]
    if INTERNAL not in node.ports:
        del settings["inter.broker.listener.name"]
    if node.rack is not None and node.is_broker:
        settings["broker.rack"] = node.rack
    return {**settings, **overrides}
