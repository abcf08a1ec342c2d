"""The quorum has a leader as long as one controller is connected to a majority, whatever the network split.

**Claim** While the network between the controllers is split so that one controller is still connected to a majority (a
bridge, in which two controllers cannot reach each other; a ring, in which no two controllers receive from the same
ones; a controller that receives nothing from the others, or from which nothing arrives), a controller leads within a
time limit, topics can be created, and the leader's epoch increases by only a few: a controller that cannot reach the
leader does not depose it repeatedly. No epoch has two leaders. After the heal one controller leads, the topics whose
creation was acknowledged exist, and all controllers hold the same metadata log.

**Why it matters** Broken switches and one-way firewalls cause such splits; the cluster must remain available.

**Kafka says** KIP-595 (the quorum; a leader resigns when it receives nothing from a majority), KIP-996 (pre-vote).

**Cannot see** splits of five controllers; effects of a split on brokers, which here reach every controller.

**Rejects** tests/plants/clusters/test_quorum_checks.py::test_a_check_rejects_the_bug
"""

from __future__ import annotations

from random import Random

import pytest

from checks.metadata.test_controllers_fail import LED_WITHIN_S, MADE_WITHIN_S, Quorum
from harness.clients.client import ClientTrouble
from harness.clients.leader_connections import RawAdmin
from harness.clients.node_client import TROUBLE, NodeClient, until
from harness.hosts import cluster_time as time
from harness.judging.outcome import BrokenPromise, Unproven, require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.replicas.collecting import require_equal_metadata_logs
from harness.targets.target import Cluster
from nemesis import Between, bridge, controller, deaf, majorities_ring, mute, partition
from nemesis.fault import Fault
from nemesis.restore import restore

pytestmark = [
    pytest.mark.cluster(nodes=1, controllers=3),
    pytest.mark.feature("KRaft"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(595, 996),
]
SPLITS = [
    partition(bridge, Between.CONTROLLERS),
    *(
        pytest.param(partition(grudge, Between.CONTROLLERS), marks=pytest.mark.long)
        for grudge in (majorities_ring, deaf(controller), mute(controller))
    ),
]
WATCHED_S = 12.0
"""Six times controller.quorum.fetch.timeout.ms: a controller that cannot reach the leader could start so many
elections."""
MOST_EPOCHS = 6
"""An election may fail a few times before one is won; if the leader was deposed at each fetch timeout there would be
more."""


@pytest.mark.claim("M9", "M1", "M2", "M7", "L2")
@pytest.mark.parametrize("split", SPLITS, ids=str)
def test_a_connected_majority_is_led(
    cluster: Cluster, admin: RawAdmin, names: Names, record: CheckRecord, chance: Random, split: Fault
) -> None:
    if (lack := split.lack(cluster)) is not None:
        pytest.skip(lack.reason)
    quorum = Quorum(cluster)
    until(lambda: bool(quorum.look()), LED_WITHIN_S, "a controller leads before the split")
    before = quorum.epoch
    try:
        with record.step(str(split)):
            record.faults += 1
            split.inject(cluster, split.plan(cluster.view(topics=()), chance))
        until(lambda: bool(quorum.look()), LED_WITHIN_S, f"a controller leads under {split}")
        made = [make_topic(admin, names, split) for _ in range(2)]
        watch(quorum, split, before)
    finally:
        with record.step("heal"):
            split.heal(cluster)
            split.verify_healed(cluster)
            restore(cluster)
    cluster.wait_healthy()
    until(lambda: len(quorum.look()) == 1, LED_WITHIN_S, "one controller leads after the heal")
    with NodeClient(cluster.nodes[0].address) as client:
        missing = [topic for topic in made if client.topic(topic).error_code]
    require(missing, [], "the topics that are not there although they were acknowledged")
    require_equal_metadata_logs(cluster, cluster.view(topics=()).controllers)


def make_topic(admin: RawAdmin, names: Names, split: Fault) -> str:
    """Creates a topic; raises BrokenPromise if no creation is acknowledged in time."""
    deadline = time.monotonic() + MADE_WITHIN_S
    while True:
        topic = names.topic("made")
        try:
            admin.create_topic(topic)
        except (*TROUBLE, ClientTrouble) as trouble:
            if time.monotonic() > deadline:
                raise BrokenPromise(
                    f"No topic could be made within {MADE_WITHIN_S:g} s under {split} ({trouble}).", claim="M9"
                ) from trouble
            time.sleep(0.2)
        else:
            return topic


def watch(quorum: Quorum, split: Fault, before: int) -> None:
    """Raises BrokenPromise if the leader's epoch increases too often under a split; Unproven if no leader was seen."""
    deadline, looks = time.monotonic() + WATCHED_S, 0
    while time.monotonic() < deadline:
        looks += bool(quorum.look())
        time.sleep(0.3)
    if not looks:
        raise Unproven(f"in {WATCHED_S:g} s under {split} no controller said that it leads")
    rose = quorum.epoch - before
    if rose > MOST_EPOCHS:
        raise BrokenPromise(
            f"The leader's epoch rose by {rose} under {split}; {MOST_EPOCHS} are enough for its elections.",
            claim="M9",
            anomaly="a leader is deposed again and again",
        )
