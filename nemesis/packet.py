"""Lose, delay, duplicate, reorder or slow down packets between nodes.

**Does** disturbs the packets between the chosen nodes and all others, in both directions: by `tc netem` where the
kernel has it; elsewhere by iptables (a share of the packets is dropped, or copied) and `tc htb` (rate). The proof says
by which, and that packets were lost, copied, delayed or sent through the limit.

**Needs** nodes with addresses of their own, and iptables and tc where they run: network namespaces (root), or an anchor
container. Delay and reordering need netem.

**Heals** by removing its own chain and its own queueing discipline from every node; then every pair must answer.
"""

from __future__ import annotations

from random import Random

from harness.history.operations import FaultAct
from harness.hosts.at_once import at_once
from harness.hosts.host import HostTrouble, wait_until
from harness.hosts.lack import Lack, Means
from harness.targets.cluster_view import ClusterView
from harness.targets.target import Cluster
from nemesis.fault import Family, Troubles, lack_of
from nemesis.grudges import isolate
from nemesis.links import Chain, connect_ms, hosts_of, is_open, parties_of, require_open, run_in, sweep
from nemesis.node_specs import NodeSpec, one
from nemesis.rules import Party, Rule, link_rules, node_name
from nemesis.shaping import (
    HAS_NETEM,
    REMOVE_SHAPING,
    SHOW_SHAPING,
    WITHOUT_NETEM,
    Effect,
    Shape,
    is_shaped,
    loss,
    packets_shaped,
    shape_script,
)

_EFFECT_WITHIN_S = 20.0
_LEAST_SHARE = 0.8
"""Share of the delay by which a connection must at least take longer."""


class Packet:
    """What happens to packets on some links (Fault)."""

    kind = "packet"
    family = Family.LINK

    def __init__(self, shape: Shape | None = None, on: NodeSpec = one) -> None:
        """Without a shape, a fifth of the packets is lost."""
        self.shape = loss(20) if shape is None else shape
        self.on = on
        self._chain: Chain | None = None

    @property
    def name(self) -> str:
        """ "packet loss 20%", "packet delay 50 ms leader"."""
        return f"{self.kind} {self.shape}" + ("" if self.on is one else f" {self.on}")

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"Packet({self.name!r})"

    def lack(self, cluster: Cluster) -> Lack | None:
        """What is missing on this cluster for this fault; asks a node whether its kernel has netem."""
        if (found := lack_of(cluster, self.kind, self.name, max(2, self.on.least_nodes))) is not None:
            return found
        if self.shape.effect in WITHOUT_NETEM or _has_netem(cluster):
            return None
        return Lack(Means.KERNEL, f"{self.name} needs tc netem (not in this kernel)")

    def plan(self, view: ClusterView, random: Random) -> FaultAct:
        """The links between the chosen nodes and all others."""
        cut = isolate(self.on).draw(view, view.nodes, random)
        links = tuple((node_name(who), node_name(whom)) for who, whom in cut.links)
        parameters = {"effect": str(self.shape), "on": cut.because}
        return FaultAct(kind=self.kind, nodes=cut.cut_off, links=links, parameters=parameters)

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        """Sets rules and shapes, and proves the effect; without an effect, everything is removed again."""
        sweep(cluster)
        parties = parties_of(cluster)
        with_netem = _has_netem(cluster)
        if not with_netem and self.shape.effect not in WITHOUT_NETEM:
            raise HostTrouble(f"{self.name} needs tc netem (not in this kernel)")
        with_tc = with_netem or self.shape.effect is Effect.RATE
        before_ms = [connect_ms(cluster, *link) for link in act.links] if self.shape.effect is Effect.DELAY else []
        self._chain = Chain(cluster, is_shaping=with_tc)
        try:
            self._chain.install(self._rules(act, parties, with_tc=with_tc))
            if with_tc:
                self._shape(cluster, act, parties, with_netem=with_netem)
            return self._prove(cluster, act, before_ms, with_netem=with_netem, with_tc=with_tc)
        except HostTrouble:
            self.heal(cluster)
            raise

    def heal(self, cluster: Cluster) -> str:
        """Removes its chain and its shapes from every node; each is tried."""
        if self._chain is None:
            return "no packets were disturbed"
        troubles = Troubles()
        if self._chain.is_shaping:
            for at, host in hosts_of(cluster).items():
                with troubles.collected():
                    run_in(host, at, ["sh", "-c", REMOVE_SHAPING])
        places: tuple[str, ...] = ()
        with troubles.collected():
            places = self._chain.remove()
        troubles.raise_any()
        return f"removed the chain {self._chain.name} from {', '.join(places) or 'no node'}"

    def verify_healed(self, cluster: Cluster) -> None:
        """HostTrouble unless its chain and shapes are gone from every node, and every pair answers."""
        if self._chain is None:
            return
        if places := self._chain.places():
            raise HostTrouble(f"the chain {self._chain.name} is still there after the heal: {', '.join(places)}")
        for at, host in hosts_of(cluster).items():
            if is_shaped(run_in(host, at, ["tc", "qdisc", "show"])):
                raise HostTrouble(f"{at} still has the queueing discipline after the heal")
        require_open(cluster)

    def _rules(self, act: FaultAct, parties: dict[str, Party], *, with_tc: bool) -> list[Rule]:
        """Rules that lose or copy; beside tc, rules that only count what goes out to be shaped."""
        ends = [(link, address) for link in act.links for address in parties[link[0]].addresses]
        if with_tc:
            return [Rule(link[1], link, ("-d", address), ()) for link, address in ends]
        if self.shape.effect is Effect.DUPLICATE:
            return [
                Rule(link[1], link, ("-d", address, *self.shape.chance), ("-j", "TEE", "--gateway", address))
                for link, address in ends
            ]
        action = (*self.shape.chance, "-j", "DROP")
        return [rule for link in act.links for rule in link_rules(link, parties, action=action)]

    def _shape(self, cluster: Cluster, act: FaultAct, parties: dict[str, Party], *, with_netem: bool) -> None:
        hosts = hosts_of(cluster)
        destinations: dict[str, list[str]] = {}
        for who, whom in act.links:
            destinations.setdefault(whom, []).extend(parties[who].addresses)

        def shape_at(at: str) -> None:
            script = shape_script(self.shape, destinations[at], with_netem=with_netem)
            run_in(hosts[at], at, ["sh", "-c", script])

        at_once(shape_at, sorted(destinations))

    def _prove(
        self, cluster: Cluster, act: FaultAct, before_ms: list[float], *, with_netem: bool, with_tc: bool
    ) -> str:
        """The proof as a sentence: probes are sent over each link until each shows the effect."""
        assert self._chain is not None
        chain, links = self._chain, {frozenset(link): link for link in act.links}
        counted: dict[frozenset[str], int] = {}

        def has_effect() -> bool:
            unaffected = [link for pair, link in links.items() if not counted.get(pair)]
            at_once(lambda link: is_open(cluster, *link), unaffected)
            for rule, count in chain.packets().items():
                counted[frozenset(rule.link)] = max(count, counted.get(frozenset(rule.link), 0))
            return all(counted.get(pair) for pair in links)

        wait_until(has_effect, _EFFECT_WITHIN_S, f"{self.name} had no effect: no packet was affected on a link")
        means = "tc netem" if with_netem else "tc htb" if with_tc else "iptables"
        told = f"{self.shape} by {means}; {sum(counted.values())} packets were affected"
        if with_tc:
            sent = sum(
                packets_shaped(run_in(hosts_of(cluster)[at], at, ["sh", "-c", SHOW_SHAPING]))
                for at in sorted({whom for _, whom in act.links})
            )
            if not sent:
                raise HostTrouble(f"{self.name} had no effect: no packet went through the class")
            told = f"{self.shape} by {means}; {sent} packets passed the limit"
        if before_ms:
            after_ms = [connect_ms(cluster, *link) for link in act.links]
            least_ms = min(after - before for after, before in zip(after_ms, before_ms, strict=True))
            if least_ms < _LEAST_SHARE * self.shape.amount:
                raise HostTrouble(f"{self.name} had no effect: a connection took only {least_ms:.0f} ms longer")
            told += f"; connections take at least {least_ms:.0f} ms longer"
        return told


def _has_netem(cluster: Cluster) -> bool:
    """Whether the kernel of the first node has netem."""
    host = next(iter(hosts_of(cluster).values()))
    result = host.run(["sh", "-c", HAS_NETEM])
    return result.status == 0 or "unknown" not in result.errors
