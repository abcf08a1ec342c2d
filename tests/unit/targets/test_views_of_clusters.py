"""What a cluster looks like from outside, as it tells it itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from harness.clients.leader_connections import RawAdmin
from harness.targets.looking import look_at
from harness.targets.target import Cluster, ClusterSpec, TargetTrouble, resolve

NOBODY = "127.0.0.1:1"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with contextlib.closing(resolve("reference").open(ClusterSpec(in_memory=True))) as opened:
        RawAdmin(opened.bootstrap).create_topic("orders", 2)
        yield opened


def test_a_view_tells_roles_and_leaders(cluster: Cluster) -> None:
    view = cluster.view()
    assert (view.nodes, view.brokers, view.controllers, view.active_controller) == ((1,), (1,), (1,), 1)
    assert view.leaders == {("orders", 0): 1, ("orders", 1): 1}


def test_a_view_tells_of_the_topics_that_were_asked_about_only(cluster: Cluster) -> None:
    assert cluster.view(topics=()).leaders == {}


def test_a_topic_that_is_not_there_has_no_leader(cluster: Cluster) -> None:
    assert cluster.view(topics=("payments",)).leader_of("payments") is None


def test_the_first_broker_that_answers_is_believed(cluster: Cluster) -> None:
    assert look_at(f"{NOBODY},{cluster.bootstrap}").brokers == (1,)


def test_a_cluster_that_does_not_answer_is_trouble() -> None:
    with pytest.raises(TargetTrouble, match=f"no broker of {NOBODY} answers Metadata"):
        look_at(NOBODY)
