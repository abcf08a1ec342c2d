"""The clock of a broker is moved by libfaketime, measured by the broker itself, and set right again."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from harness.pytest_plugin.lacking import skip_for
from harness.targets.target import Cluster, ClusterSpec, resolve
from nemesis.clock import Clock, Motion


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    opened = resolve("reference").open(ClusterSpec(in_memory=True))
    if (lack := Clock().lack(opened)) is not None:
        opened.close()
        skip_for(lack)
    yield opened
    opened.close()


def injected(cluster: Cluster, fault: Clock) -> str:
    return fault.inject(cluster, fault.plan(cluster.view(topics=()), Random(1)))


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Clock(Motion.JUMP, 300), "node 1 is off by +300."),
        (Clock(Motion.JUMP, -300), "node 1 is off by -300."),
        (Clock(Motion.DRIFT, 200), "node 1 is off by +"),
        (Clock(Motion.STROBE, 30), "node 1 is off by +30."),
    ],
    ids=["forward", "back", "drift", "strobe"],
)
def test_a_clock_is_moved_and_set_right(cluster: Cluster, fault: Clock, told: str) -> None:
    proof = injected(cluster, fault)
    fault.heal(cluster)
    fault.verify_healed(cluster)
    assert proof.startswith(told)


def test_nothing_of_the_measurement_stays(cluster: Cluster) -> None:
    fault = Clock(Motion.JUMP, 60)
    injected(cluster, fault)
    during = cluster.view().leaders
    fault.heal(cluster)
    fault.verify_healed(cluster)
    assert (list(during), list(cluster.view().leaders)) == ([("nemesis-clock-1", 0)], [])
