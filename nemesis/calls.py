"""Links that are cut by a call to the cluster: those of a simulated network."""

from __future__ import annotations

from collections.abc import Sequence

from harness.clients.connection import RawConnection
from harness.hosts import cluster_time as time
from harness.hosts.host import HostTrouble
from harness.hosts.links import Link, Links
from harness.targets.target import Cluster
from nemesis.links import PROBE_S
from nemesis.rules import CLIENTS, node_name
from reference_broker.wire.primitives import MalformedRequest

_API_VERSIONS = 18


class CalledCut:
    """The links of one fault, cut by a call (LinkCut)."""

    def __init__(self) -> None:
        self._links: tuple[Link, ...] = ()
        self._listener: str | None = None

    def make(self, cluster: Cluster, links: Sequence[tuple[str, str]], listener: str | None) -> str:
        """Cuts the links; the proof is that messages have come to them and not got through."""
        own, before = _links_of(cluster), _links_of(cluster).held()
        places = {node_name(node.id): node.id for node in cluster.nodes}
        self._links = tuple((places.get(who), places.get(whom)) for who, whom in links)
        self._listener = listener
        own.cut(self._links, listener)
        time.sleep(PROBE_S)
        held = own.held() - before
        if not held:
            self.undo(cluster)
            raise HostTrouble("the partition had no effect: no message came to the cut links")
        return f"{held} messages have not got through {len(self._links)} cut links in {PROBE_S:g} s"

    def undo(self, cluster: Cluster) -> str:
        """Opens the links again, but for those that another fault has cut too."""
        healed, self._links = self._links, ()
        _links_of(cluster).heal(healed, self._listener)
        return f"opened {len(healed)} links" if healed else "nothing was cut"

    def require_healed(self, cluster: Cluster) -> None:
        """Nothing of the cut is left: the links of a simulated network are open when the call returns."""
        if self._links:
            raise HostTrouble(f"{len(self._links)} links are still cut after the heal")

    def is_open(self, cluster: Cluster, source: str, target: str) -> bool | None:
        """Whether what the source sends reaches the target and comes back; our clients ask the node itself."""
        nodes = {node_name(node.id): node for node in cluster.nodes}
        if source == CLIENTS:
            return _answers(nodes[target].address)
        one, other = nodes[source].id, nodes[target].id
        own = _links_of(cluster)
        return not (own.is_cut((one, other), None) or own.is_cut((other, one), None))


def _links_of(cluster: Cluster) -> Links:
    if cluster.links is None:
        raise HostTrouble(f"the links of the cluster at {cluster.bootstrap} cannot be cut by a call")
    return cluster.links


def _answers(address: tuple[str, int]) -> bool:
    try:
        with RawConnection(*address, timeout_s=PROBE_S) as connection:
            connection.listed(_API_VERSIONS)
    except (OSError, MalformedRequest):
        return False
    return True
