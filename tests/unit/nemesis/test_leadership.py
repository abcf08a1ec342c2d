"""Leaders and copies: what will be moved is planned from the view; what is not yet so is asked for again."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.history.operations import FaultAct
from harness.hosts.host import HostTrouble
from harness.targets.cluster_view import ClusterView
from nemesis.leadership import Change, Leadership
from nemesis.node_specs import NoSuchNode
from nemesis.requests import NotYet, persistently

ORDERS = ("orders", 0)
seeds = st.integers(0, 2**32)


def view(replicas: tuple[int, ...] = (2, 1), isr: tuple[int, ...] = (1, 2), leader: int | None = 2) -> ClusterView:
    return ClusterView(
        nodes=(1, 2, 3),
        brokers=(1, 2, 3),
        leaders={} if leader is None else {ORDERS: leader},
        leader_epochs={} if leader is None else {ORDERS: 4},
        replicas={ORDERS: replicas},
        isr={ORDERS: isr},
    )


def planned(change: Change, of: ClusterView, seed: int = 1) -> FaultAct:
    return Leadership(change).plan(of, Random(seed))


def test_a_move_makes_an_in_sync_follower_the_preferred_leader() -> None:
    act = planned(Change.MOVE, view(replicas=(2, 3, 1), isr=(1, 2)))
    assert (act.nodes, act.parameters["from"], act.parameters["to"]) == ((2,), "2,3,1", "1,2,3")


@given(seeds)
def test_a_reassignment_gives_one_replica_to_a_broker_that_had_none(seed: int) -> None:
    act = planned(Change.REASSIGN, view(), seed)
    assert act.parameters["to"] in ("1,3", "2,3")


@given(seeds)
def test_a_reassignment_takes_one_away_where_all_brokers_have_one(seed: int) -> None:
    act = planned(Change.REASSIGN, view(replicas=(2, 1, 3)), seed)
    assert act.parameters["to"] in ("1,3", "2,3", "2,1")


def test_an_unclean_election_is_of_a_partition_without_a_leader() -> None:
    act = planned(Change.UNCLEAN, view(leader=None))
    assert (act.nodes, act.parameters["topic"], act.parameters["partition"]) == ((), "orders", "0")


@pytest.mark.parametrize(
    ("change", "of", "complaint"),
    [
        (Change.MOVE, view(isr=(2,)), "no partition under check has another in-sync replica"),
        (Change.REASSIGN, view(replicas=(2,)), "no partition under check has several replicas"),
        (Change.UNCLEAN, view(), "every partition under check has a leader"),
    ],
)
def test_a_change_that_cannot_be_made_is_trouble(change: Change, of: ClusterView, complaint: str) -> None:
    with pytest.raises(NoSuchNode, match=complaint):
        planned(change, of)


def test_what_is_not_yet_so_is_asked_again() -> None:
    answers = iter([NotYet("no controller"), "done"])

    def work() -> str:
        answer = next(answers)
        if isinstance(answer, NotYet):
            raise answer
        return answer

    assert persistently(work, 5, "nothing is done") == "done"


def test_what_never_becomes_so_is_trouble() -> None:
    def work() -> None:
        raise NotYet("no controller")

    with pytest.raises(HostTrouble, match="nothing is done within 0 s: no controller"):
        persistently(work, 0, "nothing is done")
