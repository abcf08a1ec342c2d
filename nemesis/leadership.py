"""Move leaders and replicas, as operators do.

**Does** one of three things to a partition under check: *move* makes another in-sync replica its preferred leader and
elects it; *reassign* moves one of its replicas to another broker, or removes one where every broker has one; *unclean*
elects a replica of a partition that has no leader, even one that is not in sync. The proof is what Metadata then says:
the new leader and its epoch, or the new replicas.

**Needs** a cluster that serves ElectLeaders and AlterPartitionReassignments, and partitions with two replicas.

**Heals** by assigning the original replicas in their order and electing the preferred leader; waits until the ISR is
full.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from random import Random

from harness.history.operations import FaultAct
from harness.hosts.lack import Lack
from harness.targets.cluster_view import ClusterView, TopicPartition
from harness.targets.target import Cluster, TargetTrouble
from nemesis.fault import Family, lack_of
from nemesis.node_specs import NoSuchNode
from nemesis.requests import PREFERRED, UNCLEAN, NotYet, elect, is_being_reassigned, persistently, reassign

_DONE_WITHIN_S = 60.0


class Change(StrEnum):
    """What is done to a partition."""

    MOVE = "move"
    REASSIGN = "reassign"
    UNCLEAN = "unclean"

    @property
    def does(self) -> str:
        """What it is, for lists."""
        return _DOES[self]


_DOES = {
    Change.MOVE: "another in-sync replica becomes the preferred leader and is elected",
    Change.REASSIGN: "a replica moves to another broker, or is removed where all brokers have one",
    Change.UNCLEAN: "a partition without a leader gets one, even one that is not in sync",
}


class Leadership:
    """Another leader, or other replicas (Fault)."""

    kind = "leadership"
    family = Family.METADATA

    def __init__(self, change: Change = Change.MOVE) -> None:
        self.change = change
        self._before: tuple[TopicPartition, tuple[int, ...]] | None = None

    @property
    def name(self) -> str:
        """ "leadership move"."""
        return f"{self.kind} {self.change}"

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"Leadership({self.change!s})"

    def lack(self, cluster: Cluster) -> Lack | None:
        """What is missing on this cluster for this fault."""
        return lack_of(cluster, self.kind, self.name, 2)

    def plan(self, view: ClusterView, random: Random) -> FaultAct:
        """The partition, its replicas before and after, and the leader that it loses."""
        choose = {Change.MOVE: _move, Change.REASSIGN: _reassign, Change.UNCLEAN: _unclean}[self.change]
        where, replicas = choose(view, random)
        leads = view.leaders.get(where)
        return FaultAct(
            kind=self.kind,
            nodes=() if leads is None else (leads,),
            parameters={
                "change": str(self.change),
                "topic": where[0],
                "partition": str(where[1]),
                "from": _listed(view.replicas[where]),
                "to": _listed(replicas),
            },
        )

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        """Makes the change, and waits until Metadata shows it."""
        where = act.parameters["topic"], int(act.parameters["partition"])
        wanted = _ids(act.parameters["to"])
        self._before = where, _ids(act.parameters["from"])
        if self.change is Change.UNCLEAN:
            _insist(lambda: elect(cluster.bootstrap, *where, UNCLEAN), f"{self.name} did not succeed")
            return _told(cluster, where, lambda view: where in view.leaders)
        _insist(lambda: reassign(cluster.bootstrap, *where, wanted), f"{self.name} was refused")
        if self.change is Change.REASSIGN:
            return _told(cluster, where, lambda view: view.replicas.get(where) == wanted)
        _insist(lambda: elect(cluster.bootstrap, *where, PREFERRED), f"{self.name} did not succeed")
        return _told(cluster, where, lambda view: view.leaders.get(where) == wanted[0])

    def heal(self, cluster: Cluster) -> str:
        """Gives the partition its replicas back, and its preferred leader."""
        if self._before is None:
            return "nothing was moved"
        where, replicas = self._before
        words = f"{where[0]}-{where[1]}"
        if cluster.view((where[0],)).replicas.get(where) != replicas:
            _insist(lambda: reassign(cluster.bootstrap, *where, replicas), f"{words} did not get its replicas back")
            _told(cluster, where, lambda view: view.replicas.get(where) == replicas)
        _insist(lambda: elect(cluster.bootstrap, *where, PREFERRED), f"{words} did not get its preferred leader back")
        self._before = None
        return f"{words} has replicas {_listed(replicas)} again"

    def verify_healed(self, cluster: Cluster) -> None:
        """HostTrouble unless nothing is left to give back, and the cluster is healthy."""
        if self._before is not None:
            raise TargetTrouble(f"{self.name} is not healed")
        cluster.wait_healthy()


def _move(view: ClusterView, random: Random) -> tuple[TopicPartition, tuple[int, ...]]:
    """A partition, and its replicas with another in-sync one first."""
    fitting = [where for where in sorted(view.leaders) if len(view.isr.get(where, ())) > 1]
    if not fitting:
        raise NoSuchNode("no partition under check has another in-sync replica that could become leader")
    where = random.choice(fitting)
    leader = random.choice([node for node in sorted(view.isr[where]) if node != view.leaders[where]])
    return where, (leader, *(node for node in view.replicas[where] if node != leader))


def _reassign(view: ClusterView, random: Random) -> tuple[TopicPartition, tuple[int, ...]]:
    """A partition, and its replicas with one moved to another broker; with one removed where all brokers have one."""
    fitting = [where for where in sorted(view.leaders) if len(view.replicas[where]) > 1]
    if not fitting:
        raise NoSuchNode("no partition under check has several replicas")
    where = random.choice(fitting)
    replicas = view.replicas[where]
    gone = random.choice(sorted(replicas))
    others = [node for node in view.brokers if node not in replicas]
    kept = tuple(node for node in replicas if node != gone)
    return where, (*kept, random.choice(others)) if others else kept


def _unclean(view: ClusterView, random: Random) -> tuple[TopicPartition, tuple[int, ...]]:
    """A partition without a leader; its replicas stay."""
    fitting = [where for where in sorted(view.replicas) if where not in view.leaders]
    if not fitting:
        raise NoSuchNode("every partition under check has a leader: there is nothing to elect uncleanly")
    where = random.choice(fitting)
    return where, view.replicas[where]


def _told(cluster: Cluster, where: TopicPartition, is_so: Callable[[ClusterView], bool]) -> str:
    """Waits until Metadata shows the change; what it shows, as a sentence."""

    def look() -> ClusterView:
        view = _view(cluster, where)
        if not is_so(view) or is_being_reassigned(cluster.bootstrap, *where):
            raise NotYet(_sentence(view, where))
        return view

    return _sentence(persistently(look, _DONE_WITHIN_S, "the change did not take effect"), where)


def _view(cluster: Cluster, where: TopicPartition) -> ClusterView:
    try:
        return cluster.view((where[0],))
    except TargetTrouble as trouble:
        raise NotYet(str(trouble)) from trouble


def _insist(work: Callable[[], None], complaint: str) -> None:
    persistently(work, _DONE_WITHIN_S, complaint)


def _sentence(view: ClusterView, where: TopicPartition) -> str:
    leads = view.leaders.get(where)
    who = "no leader" if leads is None else f"node {leads} leads in epoch {view.leader_epochs[where]}"
    return f"{where[0]}-{where[1]}: {who}, replicas {_listed(view.replicas.get(where, ()))}"


def _listed(nodes: tuple[int, ...]) -> str:
    return ",".join(map(str, nodes))


def _ids(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))
