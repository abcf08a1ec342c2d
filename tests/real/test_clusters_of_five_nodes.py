"""Five nodes, combined or with three controllers of their own, open healthy and go on when a controller is killed.

Five JVMs at once, which is long: `make nightly` runs them, and a run of this file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from random import Random

import pytest

from harness.clients.leader_connections import RawAdmin
from harness.hosts.host import wait_until
from harness.pytest_plugin.lacking import skip_for
from harness.targets.target import Cluster, ClusterSpec, resolve
from nemesis import controller, kill

CONTAINERS = f"docker@{os.environ.get('KAFKA_IMAGE', 'local/kafka:4.3.1')}"
COMBINED, APART = ClusterSpec(nodes=5), ClusterSpec(nodes=2, controllers=3)
CLUSTERS = {
    "processes": ("kafka@4.3.1", COMBINED),
    "processes, controllers apart": ("kafka@4.3.1", APART),
    "containers": (CONTAINERS, COMBINED),
    "containers, controllers apart": (CONTAINERS, APART),
}
LED_WITHIN_S = 30.0
pytestmark = pytest.mark.long


@pytest.fixture(scope="module", params=CLUSTERS.values(), ids=CLUSTERS)
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    name, spec = request.param
    target = resolve(name)
    if (lack := target.lack(spec)) is not None:
        skip_for(lack)
    opened = target.open(spec)
    yield opened
    opened.close()


def test_it_opens_with_its_voters_and_a_leader(cluster: Cluster) -> None:
    view = cluster.view()
    shown = (view.nodes, view.brokers, view.controllers)

    assert shown in (((1, 2, 3, 4, 5),) * 3, ((1, 2, 101, 102, 103), (1, 2), (101, 102, 103)))
    assert view.active_controller in view.controllers


def test_it_goes_on_without_its_active_controller(cluster: Cluster) -> None:
    before = cluster.view(topics=())
    fault = kill(controller)
    fault.inject(cluster, fault.plan(before, Random(1)))
    try:
        wait_until(
            lambda: cluster.view(topics=()).active_controller not in (None, before.active_controller),
            LED_WITHIN_S,
            "no other controller leads",
        )
        others = [node for node in cluster.nodes if node.id in before.brokers and node.is_alive()]
        with closing(RawAdmin(",".join("{}:{}".format(*node.address) for node in others))) as admin:
            admin.create_topic("meanwhile", replicas=len(others[:2]))
    finally:
        fault.heal(cluster)
        fault.verify_healed(cluster)
    cluster.wait_healthy()

    after = cluster.view()
    assert (after.brokers, after.controllers) == (before.brokers, before.controllers)
    assert len(after.replicas["meanwhile", 0]) == 2
