"""Checks of clusters hold on a cluster in memory that is right, and reject each of its bugs by their own assertions."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from harness.catalogue import Header
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.replicas import collecting
from nemesis import controller, kill
from tests.plants.clusters.clients_in_memory import MemoryAdmin, MemoryClient
from tests.plants.clusters.cluster_in_memory import BUGS, MemoryCluster
from tests.plants.clusters.rejecting import acceptances, rejections, right, wrong
from tests.plants.clusters.virtual_clock import Clock

TOO_FEW = "checks.durability.test_too_few_replicas::test_nothing_is_acknowledged_by_too_few_replicas"
IN_SYNC = "checks.durability.test_elected_leaders_were_in_sync::test_a_replica_that_was_not_in_sync_does_not_lead"
UNCLEAN = (
    "checks.durability.test_elected_leaders_were_in_sync::"
    "test_an_unclean_leader_leads_where_that_is_allowed_and_the_old_one_follows_it"
)
DIES = "checks.walkthrough.test_a_broker_dies::test_a_broker_dies_and_nobody_waits_for_it"
MOVES = (
    "checks.durability.test_moves_keep_records::test_a_move_ends_with_the_replicas_that_were_asked_for_and_every_record"
)
PREFERRED = "checks.durability.test_moves_keep_records::test_the_preferred_replica_leads_when_it_is_asked_to"
CANCELS = "checks.durability.test_moves_keep_records::test_a_move_that_cannot_end_is_cancelled_exactly"
CONTROLLERS = "checks.metadata.test_controllers_fail::test_the_metadata_stays_when_the_active_controller_fails"
PAUSED = "checks.metadata.test_brokers_are_fenced::test_a_broker_that_is_paused_is_fenced_and_comes_back"
STOPPED = "checks.metadata.test_brokers_are_fenced::test_a_broker_that_is_stopped_has_handed_over_before_it_ends"
FOLLOWERS = "checks.ordering.test_followers_serve_a_prefix::test_a_follower_serves_a_prefix_of_the_leaders_log"

REJECTED = [
    ("acknowledges with too few replicas", TOO_FEW, "answer to acks=all with one replica in sync"),
    ("writes acks=1 nowhere", TOO_FEW, "What the partition holds"),
    ("keeps what it refuses", TOO_FEW, "What the partition holds"),
    ("has a dead leader", IN_SYNC, "leads orders-memory"),
    ("elects any replica", IN_SYNC, "it was not in sync when the leader"),
    ("does not truncate", UNCLEAN, "hold different batches at offset 1"),
    ("loses the last record at a failover", DIES, "What the partition holds"),
    ("moves without copying", MOVES, "What the partition holds"),
    ("keeps the old replica", MOVES, "all in sync, and that was not so within"),
    ("loses what is written during a move", MOVES, "What the partition holds"),
    ("elects nobody", PREFERRED, "the preferred replica, node 2, leads"),
    ("ends a move to a dead broker", CANCELS, "while node 3 is dead"),
    ("keeps the new replica when cancelled", CANCELS, "again after the move was cancelled"),
    ("never fences", PAUSED, "is fenced and leads nothing, and that was not so within"),
    ("never lets it follow again", PAUSED, "is unfenced and in sync again, and that was not so within"),
    ("never lets it follow again", DIES, "has caught up and is in sync, and that was not so within"),
    ("takes no record after a failover", DIES, "The answer of the new leader"),
    ("leads after its end", STOPPED, "leads after its clean stop"),
    ("has no other controller", CONTROLLERS, "another controller leads when the active one"),
    ("has two leaders of an epoch", CONTROLLERS, "have both led the quorum in epoch 5"),
    ("goes back in epochs", CONTROLLERS, "the new controller leads a later epoch than 5"),
    ("makes no topic after a failover", CONTROLLERS, "No topic could be made within 20 s after the fault was healed"),
    ("forgets topics with its controller", CONTROLLERS, "The ids of the topics made before"),
    ("gives topics new ids", CONTROLLERS, "The ids of the topics made before"),
    ("has different metadata", CONTROLLERS, "metadata logs differ: nodes 1 and 2 hold different batches"),
    ("serves what is not committed", FOLLOWERS, "What the follower serves"),
    ("takes back what a follower served", FOLLOWERS, "served again"),
    ("sends nobody to followers", FOLLOWERS, "the leader sends a reader of rack"),
]
"""(bug, the check that rejects it, what that says)."""


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs a check on a cluster in memory that has some bugs."""

    def playing(check: str, *bugs: str) -> None:
        module_name, _, function = check.partition("::")
        module = importlib.import_module(module_name)
        cluster, clock = MemoryCluster(tmp_path, bugs), Clock()
        admin = MemoryAdmin(cluster)
        monkeypatch.setattr(module, "NodeClient", lambda address, **more: MemoryClient(cluster, address), raising=False)
        monkeypatch.setattr(module, "RawAdmin", lambda bootstrap: admin)
        monkeypatch.setattr(collecting, "RawAdmin", lambda bootstrap: admin)
        monkeypatch.setattr(collecting, "time", clock)
        monkeypatch.setattr("harness.clients.node_client.time", clock)
        if hasattr(module, "time"):
            monkeypatch.setattr(module, "time", clock)
        given: dict[str, Any] = {
            "cluster": cluster,
            "admin": admin,
            "names": Names("memory", check),
            "record": CheckRecord(check=check, target="memory", header=Header(), sentence=""),
            "chance": Random(1),
            "fault": kill(controller),
        }
        code = getattr(module, function)
        wanted = code.__code__.co_varnames[: code.__code__.co_argcount]
        code(**{name: given[name] for name in wanted})

    return playing


test_a_check_rejects_the_bug = rejections(
    {f"{bug}-{check.rpartition('.')[2]}": wrong(says, check, bug) for bug, check, says in REJECTED}
)
test_a_check_holds_on_a_cluster_that_is_right = acceptances(
    {check.partition("::")[2]: right(check) for _, check, _ in REJECTED}
)


def test_every_bug_is_rejected_by_some_check() -> None:
    assert {bug for bug, _, _ in REJECTED} == set(BUGS)
