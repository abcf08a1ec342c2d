"""Whether a cluster is healthy: the quorum has a leader, all brokers are unfenced, all replicas are in sync."""

from __future__ import annotations

from collections.abc import Callable, Collection

from harness.hosts import cluster_time as time
from harness.targets.cluster_view import ClusterView
from harness.targets.target import TargetTrouble

HEALTHY_WITHIN_S = 90.0
"""How long a cluster may take after a fault: sessions of brokers and followers that catch up included."""
_EVERY_S = 0.1
_MOST_NAMED = 3


def problems_of(view: ClusterView, brokers: Collection[int]) -> tuple[str, ...]:
    """What is wrong in a view of all topics, as clauses; empty when the cluster is healthy."""
    found = [] if view.active_controller is not None else ["no active controller"]
    if missing := sorted(set(brokers) - set(view.brokers)):
        found.append(f"broker {', '.join(map(str, missing))} is not registered or is fenced")
    lagging = [where for where, nodes in sorted(view.replicas.items()) if set(view.isr.get(where, ())) != set(nodes)]
    leaderless = [where for where in sorted(view.replicas) if where not in view.leaders]
    for what, partitions in (("no leader", leaderless), ("not the full ISR", lagging)):
        if partitions:
            named = ", ".join(f"{topic}-{partition}" for topic, partition in partitions[:_MOST_NAMED])
            more = f" and {len(partitions) - _MOST_NAMED} more" if len(partitions) > _MOST_NAMED else ""
            found.append(f"{what}: {named}{more}")
    return tuple(found)


def wait_until_healthy(
    look: Callable[[], ClusterView], brokers: Collection[int], timeout_s: float = HEALTHY_WITHIN_S
) -> None:
    """Waits until the cluster is healthy. TargetTrouble, with what is wrong, when it takes too long."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            found = problems_of(look(), brokers)
        except TargetTrouble as trouble:
            found = (str(trouble),)
        if not found:
            return
        if time.monotonic() > deadline:
            raise TargetTrouble(f"the cluster is not healthy after {timeout_s:g} s: {'; '.join(found)}")
        time.sleep(_EVERY_S)
