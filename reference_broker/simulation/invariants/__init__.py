"""What must hold in a world after every event, whatever the faults; each file looks at one part of the nodes."""

from __future__ import annotations

from reference_broker.simulation.invariants.metadata_quorum import MetadataQuorum
from reference_broker.simulation.invariants.partitions import PartitionLogs
from reference_broker.simulation.invariants.processes import Processes
from reference_broker.simulation.world import World

__all__ = ["MetadataQuorum", "PartitionLogs", "Processes", "watch_all"]


def watch_all(world: World) -> PartitionLogs:
    """Look at every event of a world from now on; what is known of partitions is returned."""
    partitions = PartitionLogs(world)
    world.watch(Processes(world))
    world.watch(MetadataQuorum(world))
    world.watch(partitions)
    return partitions
