"""What must hold in a world after every event, whatever the faults; each file looks at one part of the nodes."""

from __future__ import annotations

from reference_broker.simulation.invariants.decisions import Decisions
from reference_broker.simulation.invariants.metadata_quorum import MetadataQuorum
from reference_broker.simulation.invariants.partitions import PartitionLogs
from reference_broker.simulation.invariants.processes import Processes
from reference_broker.simulation.invariants.unclean_elections import UncleanElections
from reference_broker.simulation.world import World

__all__ = ["MetadataQuorum", "PartitionLogs", "Processes", "UncleanElections", "watch_all"]


def watch_all(world: World) -> PartitionLogs:
    """Look at every event of a world from now on; what is known of partitions is returned."""
    unclean = UncleanElections(world)
    partitions = PartitionLogs(world, unclean)
    world.watch(Processes(world))
    world.watch(MetadataQuorum(world, Decisions(world, partitions)))
    world.watch(partitions)
    return partitions
