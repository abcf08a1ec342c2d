"""Controllers are removed from the quorum and added again, and no metadata is lost.

**Claim** When a voter is removed from the metadata quorum and added again, even if it is the active controller, a voter
leads within a time limit, and a controller without a vote does not lead. No epoch has two leaders. Topics whose
creation was acknowledged before, while or after the voter was removed exist afterwards on every broker, with the same
ids. The controllers hold the same metadata log. While one of three voters is removed, the quorum continues even if the
removed node is killed.

**Why it matters** Controllers are replaced when machines are; a quorum that waits for a removed voter is unavailable.

**Kafka says** KIP-853 (adding and removing voters), KIP-595 (the quorum).

**Cannot see** voters of other releases; a voter that is added with an empty log.

**Rejects** tests/plants/clusters/test_voter_checks.py::test_a_check_rejects_the_bug
"""

from __future__ import annotations

from contextlib import closing
from random import Random

import pytest

from checks.metadata.test_controllers_fail import (
    LED_WITHIN_S,
    MADE_WITHIN_S,
    Quorum,
    ids_by_node,
    make_topics,
    require_the_same_everywhere,
)
from harness.clients.leader_connections import RawAdmin
from harness.clients.node_client import until
from harness.judging.outcome import BrokenPromise, Unproven
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.replicas.collecting import require_equal_metadata_logs
from harness.targets.target import Cluster
from nemesis import controller, voters
from nemesis.fault import Fault
from nemesis.restore import restore

pytestmark = [
    pytest.mark.cluster(nodes=3, has_dynamic_voters=True),
    pytest.mark.feature("KRaft"),
    pytest.mark.severity("blocker"),
    pytest.mark.kip(853, 595),
]


def require_led_by_a_voter(quorum: Quorum, voting: set[int]) -> None:
    """Raises BrokenPromise unless a voter leads within a time limit, and no other node does."""
    until(lambda: bool(quorum.look() & voting), LED_WITHIN_S, f"one of the voters {sorted(voting)} leads the quorum")
    if strangers := quorum.look() - voting:
        raise BrokenPromise(
            f"Node {min(strangers)} leads the quorum and has no vote in it; the voters are {sorted(voting)}.",
            claim="M8",
            anomaly="leader without a vote",
        )


@pytest.mark.claim("M8", "M1", "M2", "M7", "L2")
@pytest.mark.parametrize("fault", [voters(), voters(controller)], ids=str)
@pytest.mark.parametrize("dies", [False, True], ids=["runs on", "dies"])
def test_the_metadata_goes_on_without_a_voter(
    cluster: Cluster, admin: RawAdmin, names: Names, record: CheckRecord, chance: Random, fault: Fault, dies: bool
) -> None:
    quorum = Quorum(cluster)
    until(lambda: bool(quorum.look()), LED_WITHIN_S, "a controller leads before a voter is removed")
    made = make_topics(admin, names, 2, 20)
    ids = ids_by_node(cluster, made)[1]
    view = cluster.view(topics=())
    act = fault.plan(view, chance)
    (gone,) = [node for node in cluster.nodes if node.id in act.nodes]
    voting = set(view.controllers) - {gone.id}
    try:
        with record.step(str(fault)):
            record.faults += 1
            record.steps.append(fault.inject(cluster, act))
        if dies:
            with record.step(f"kill node {gone.id}, which has no vote"):
                record.faults += 1
                gone.kill()
        require_led_by_a_voter(quorum, voting)
        others = ",".join("{}:{}".format(*node.address) for node in cluster.nodes if node.id in voting)
        with closing(RawAdmin(others)) as at_others:
            during = make_topics(at_others, names, 2, MADE_WITHIN_S)
        require_led_by_a_voter(quorum, voting)
    finally:
        with record.step("heal"):
            if not gone.is_alive():
                gone.start()
                gone.wait_ready()
            fault.heal(cluster)
            fault.verify_healed(cluster)
            restore(cluster)
    cluster.wait_healthy()
    require_led_by_a_voter(quorum, set(view.controllers))
    after = make_topics(admin, names, 1, 20)
    if not during or not after:
        raise Unproven(f"{len(during)} topics were made without the voter and {len(after)} after; one each is needed")
    require_the_same_everywhere(cluster, [*made, *during, *after], ids)
    require_equal_metadata_logs(cluster, [node.id for node in cluster.nodes])
