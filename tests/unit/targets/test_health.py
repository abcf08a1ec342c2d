"""What is wrong with a cluster, found in a view of it."""

from __future__ import annotations

import pytest

from harness.targets.cluster_view import ClusterView
from harness.targets.health import problems_of, wait_until_healthy
from harness.targets.target import TargetTrouble

ORDERS = ("orders", 0)
WELL: dict[str, object] = {
    "nodes": (1, 2, 3),
    "brokers": (1, 2, 3),
    "active_controller": 1,
    "leaders": {ORDERS: 2},
    "replicas": {ORDERS: (2, 1)},
    "isr": {ORDERS: (1, 2)},
}


def view(**changes: object) -> ClusterView:
    return ClusterView(**{**WELL, **changes})  # type: ignore[arg-type]


def test_nothing_ails_a_healthy_cluster() -> None:
    assert problems_of(view(), [1, 2, 3]) == ()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"active_controller": None}, "no active controller"),
        ({"brokers": (1, 3)}, "broker 2 is not registered or is fenced"),
        ({"isr": {ORDERS: (2,)}}, "not the full ISR: orders-0"),
        ({"leaders": {}}, "no leader: orders-0"),
    ],
)
def test_what_ails_a_cluster_is_named(changes: dict[str, object], complaint: str) -> None:
    assert problems_of(view(**changes), [1, 2, 3]) == (complaint,)


def test_many_partitions_are_counted() -> None:
    where = {("orders", partition): (2, 1) for partition in range(5)}
    (told,) = problems_of(view(leaders=dict.fromkeys(where, 2), replicas=where, isr={}), [1, 2, 3])
    assert told == "not the full ISR: orders-0, orders-1, orders-2 and 2 more"


def test_a_cluster_becomes_healthy_while_we_wait() -> None:
    views = iter([view(brokers=(1,)), view()])
    wait_until_healthy(lambda: next(views), [1, 2, 3])
    assert next(views, None) is None


def test_a_cluster_that_stays_ill_is_trouble() -> None:
    with pytest.raises(TargetTrouble, match="not healthy after 0 s: broker 2 is not registered"):
        wait_until_healthy(lambda: view(brokers=(1, 3)), [1, 2, 3], 0)
