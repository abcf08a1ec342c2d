"""Links between namespaces, for real: cut ones do not answer, healed ones do, and rules of others are not touched."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.hosts.host import HostTrouble
from nemesis.links import Chain, is_open, parties_of, prove_cut, require_open, sweep
from nemesis.rules import CLIENTS, Rule, link_rules
from tests.real import namespaces
from tests.real.namespaces import NamespaceCluster

ROOT = Path(__file__).resolve().parents[2]
FOREIGN = ("INPUT", "-s", "10.9.9.9", "-j", "DROP")


@pytest.fixture(scope="module")
def whole() -> Iterator[NamespaceCluster]:
    with namespaces.namespaces(3) as made:
        yield made


@pytest.fixture
def cluster(whole: NamespaceCluster) -> Iterator[NamespaceCluster]:
    yield whole
    sweep(whole, with_own=True)


def rules_of(cluster: NamespaceCluster, *links: tuple[str, str], listener: str | None = None) -> list[Rule]:
    return [rule for link in links for rule in link_rules(link, parties_of(cluster), listener)]


def cut(cluster: NamespaceCluster, *links: tuple[str, str], listener: str | None = None) -> tuple[Chain, list[Rule]]:
    rules = rules_of(cluster, *links, listener=listener)
    chain = Chain(cluster)
    chain.install(rules)
    return chain, rules


def test_a_link_that_is_not_cut_answers(cluster: NamespaceCluster) -> None:
    assert require_open(cluster) == 6


def test_a_cut_link_does_not_answer_and_others_do(cluster: NamespaceCluster) -> None:
    cut(cluster, ("node 1", "node 2"), ("node 2", "node 1"))
    links = [("node 1", "node 2"), ("node 2", "node 1"), ("node 1", "node 3"), ("node 3", "node 2")]
    assert [is_open(cluster, *link) for link in links] == [False, False, True, True]


def test_a_cut_is_proved_by_probes_and_counters(cluster: NamespaceCluster) -> None:
    chain, rules = cut(cluster, ("node 1", "node 2"), ("node 2", "node 1"))
    assert prove_cut(cluster, chain, rules, None).startswith("2 probes across the partition got no answer")


def test_a_cut_in_one_direction_is_proved_by_the_counter_of_that_direction(cluster: NamespaceCluster) -> None:
    chain, rules = cut(cluster, ("node 1", "node 2"))
    prove_cut(cluster, chain, rules, None)
    assert [rule.at for rule, count in chain.packets().items() if count] == ["node 1"]


def test_a_rule_that_drops_nothing_is_no_cut(cluster: NamespaceCluster) -> None:
    rules = [Rule("node 1", ("node 1", "node 2"), ("-s", "10.9.9.8"))]
    chain = Chain(cluster)
    chain.install(rules)
    with pytest.raises(HostTrouble, match="had no effect: a probe was answered from node 1 to node 2"):
        prove_cut(cluster, chain, rules, None)


def test_one_listener_is_cut_and_the_others_answer(cluster: NamespaceCluster) -> None:
    chain, rules = cut(cluster, ("node 1", "node 2"), ("node 2", "node 1"), listener="CONTROLLER")
    prove_cut(cluster, chain, rules, "CONTROLLER")
    opened = [is_open(cluster, "node 2", "node 1", name) for name in ("CONTROLLER", "INTERNAL", "PLAINTEXT")]
    assert opened == [False, True, True]


@pytest.mark.parametrize("link", [("node 1", CLIENTS), (CLIENTS, "node 1")], ids=["requests", "answers"])
def test_clients_are_cut_off_and_nodes_are_not(cluster: NamespaceCluster, link: tuple[str, str]) -> None:
    chain, rules = cut(cluster, link)
    prove_cut(cluster, chain, rules, None)
    assert [is_open(cluster, CLIENTS, "node 1"), is_open(cluster, CLIENTS, "node 2")] == [False, True]
    assert is_open(cluster, "node 2", "node 1")


def test_after_the_removal_every_pair_answers(cluster: NamespaceCluster) -> None:
    chain, _ = cut(cluster, ("node 1", "node 2"), ("node 3", "node 2"))
    assert chain.remove() == ("node 1", "node 3")
    assert (require_open(cluster), chain.places()) == (6, ())


def test_a_second_removal_finds_nothing(cluster: NamespaceCluster) -> None:
    chain, _ = cut(cluster, ("node 1", "node 2"))
    chain.remove()
    assert chain.remove() == ()


def test_rules_of_others_are_not_touched(cluster: NamespaceCluster) -> None:
    cluster.run(1, "iptables", "-A", *FOREIGN)
    cluster.run(1, "iptables", "-N", "KCHK-of-nobody")
    before = cluster.run(1, "iptables", "-S")
    chain, _ = cut(cluster, ("node 1", "node 2"))
    chain.remove()
    sweep(cluster, with_own=True)
    after = cluster.run(1, "iptables", "-S")
    cluster.run(1, "iptables", "-D", *FOREIGN)
    cluster.run(1, "iptables", "-X", "KCHK-of-nobody")
    assert after == before


def test_two_chains_of_one_run_are_removed_apart(cluster: NamespaceCluster) -> None:
    first, _ = cut(cluster, ("node 1", "node 2"))
    cut(cluster, ("node 1", "node 3"))
    first.remove()
    assert [is_open(cluster, "node 2", "node 1"), is_open(cluster, "node 3", "node 1")] == [True, False]


def test_a_chain_that_cannot_be_made_whole_leaves_nothing(cluster: NamespaceCluster) -> None:
    chain = Chain(cluster)
    with pytest.raises(HostTrouble, match=r"node 1: .*no-such-match"):
        chain.install([Rule("node 1", ("node 1", "node 2"), ("-m", "no-such-match"))])
    assert chain.places() == ()


def test_what_a_dead_run_left_is_swept_and_what_a_living_one_has_is_not(cluster: NamespaceCluster) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from harness.hosts.identity import own_identity\n"
        "print(own_identity().text())"
    )
    dead = subprocess.run([sys.executable, "-c", script, str(ROOT)], capture_output=True, text=True, check=True).stdout
    cluster.run(2, "iptables", "-N", "KCHK-dead-1")
    cluster.run(2, "iptables", "-A", "KCHK-dead-1", "-m", "comment", "--comment", dead.strip())
    cluster.run(2, "iptables", "-I", "INPUT", "-j", "KCHK-dead-1")
    own, _ = cut(cluster, ("node 2", "node 1"))
    assert (sweep(cluster), own.places()) == (("KCHK-dead-1 of node 2",), ("node 2",))
