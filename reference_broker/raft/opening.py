"""From a node's configuration to its membership in the metadata quorum."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from reference_broker.effects import Outbox
from reference_broker.environment import Disk, Now, Random
from reference_broker.raft.machine import Quorum
from reference_broker.raft.settings import Identity, QuorumSettings, StoreSettings
from reference_broker.raft.store import MetadataStore
from reference_broker.raft.voters import ReplicaKey, Voter, VoterEndpoint, VoterSet
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.primitives import Uuid


def open_store(
    config: BrokerConfig, disk: Disk, now: Now, on_warning: Callable[[str], None] = lambda line: None
) -> MetadataStore:
    """The metadata log of a node; `on_warning` gets a line where a crash had damaged it.

    Errors as those of `MetadataStore.open`.
    """
    return MetadataStore.open(
        disk=disk,
        metadata_log_dir=config.metadata_log_dir,
        settings=StoreSettings.of(config),
        now_ms=now.wall_ms,
        static_voters=static_voters(config),
        on_warning=on_warning,
    )


def open_quorum(
    config: BrokerConfig,
    store: MetadataStore,
    *,
    cluster_id: str,
    directory_id: Uuid,
    bound: Mapping[str, int],
    random: Random,
    outbox: Outbox,
    log: Callable[[str, str], None],
    now: Now,
) -> Quorum:
    """The member of the quorum that a configuration makes: a controller may vote, a broker alone only follows.

    `directory_id` is that of the folder with the metadata log, `bound` are the ports of the listeners, by name.
    """
    listener = config.controller_listeners[0]
    endpoints = tuple(
        VoterEndpoint(one.listener, one.host, one.port) for one in config.advertised_to_controllers(bound)
    )
    identity = Identity(
        key=ReplicaKey(config.node_id, directory_id), cluster_id=cluster_id, listener=listener, endpoints=endpoints
    )
    return Quorum.open(
        store=store,
        identity=identity,
        settings=quorum_settings(config),
        bootstrap_servers=config.bootstrap_controllers,
        random=random,
        outbox=outbox,
        log=log,
        now=now,
    )


def static_voters(config: BrokerConfig) -> VoterSet | None:
    """controller.quorum.voters; None where the voters stand in the log (KIP-853)."""
    listener = config.controller_listeners[0]
    voters = tuple(
        Voter(key=ReplicaKey(one.id), endpoints=(VoterEndpoint(listener, one.host, one.port),))
        for one in config.static_voters
    )
    return VoterSet(voters) if voters else None


def quorum_settings(config: BrokerConfig) -> QuorumSettings:
    """The settings controller.quorum.* and those of snapshots.

    What is appended while a flush is under way waits for the next one, so records need not linger for others.
    """
    return replace(QuorumSettings.of(config), append_linger_ms=0)
