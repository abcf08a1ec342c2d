"""A cluster as its brokers describe it at one moment: plain data, so that the choice of nodes is a pure function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TopicPartition = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterView:
    """Roles and leaders as the cluster told them; of topics and groups only those that were asked about."""

    nodes: tuple[int, ...]
    """Ids of all nodes, those that are controllers only among them; ascending, like the others."""
    brokers: tuple[int, ...]
    """Brokers that are registered and not fenced."""
    controllers: tuple[int, ...] = ()
    """Voters of the metadata quorum."""
    active_controller: int | None = None
    """The quorum's leader; None while there is none, or nobody says."""
    leaders: Mapping[TopicPartition, int] = field(default_factory=dict)
    """Of partitions that have a leader now."""
    leader_epochs: Mapping[TopicPartition, int] = field(default_factory=dict)
    replicas: Mapping[TopicPartition, tuple[int, ...]] = field(default_factory=dict)
    """In the order of the assignment: the first is the preferred leader."""
    isr: Mapping[TopicPartition, tuple[int, ...]] = field(default_factory=dict)
    coordinators: Mapping[str, int] = field(default_factory=dict)
    """Group → its coordinator, of groups that have one now."""

    def leader_of(self, topic: str, partition: int = 0) -> int | None:
        """The leader; None when it has none now, or was not asked about."""
        return self.leaders.get((topic, partition))

    def followers_of(self, topic: str, partition: int = 0) -> tuple[int, ...]:
        """All replicas but the leader, in the order of the assignment."""
        leads = self.leader_of(topic, partition)
        return tuple(node for node in self.replicas.get((topic, partition), ()) if node != leads)

    def controller(self) -> int | None:
        """The active controller."""
        return self.active_controller

    def coordinator_of(self, group: str) -> int | None:
        """The coordinator; None when it has none now, or was not asked about."""
        return self.coordinators.get(group)
