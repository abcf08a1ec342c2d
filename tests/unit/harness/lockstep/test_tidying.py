"""A node on which many topics were deleted starts without their files, between two sequences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.lockstep import model_command, player
from harness.lockstep.actions import Request, Restart
from harness.lockstep.clusters import can_clear, opened
from harness.lockstep.model_command import Judging
from harness.lockstep.player import Player
from harness.targets.target import Cluster
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.primitives import TopicName

CREATE = Request(
    message=CreateTopicsRequest(
        topics=(CreatableTopic(name=TopicName("orders"), num_partitions=2, replication_factor=1),), timeout_ms=5_000
    ),
    version=7,
)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A reference as lockstep opens it."""
    with opened(["reference"]) as ((_, cluster),):
        yield cluster


def deleted(cluster: Cluster) -> list[Path]:
    """Folders of partitions whose topics were deleted."""
    folder = cluster.nodes[0].data_dir
    assert folder is not None
    return list(folder.glob("*-delete"))


def one_after_the_other(on: Player, sequences: int) -> None:
    """Sequences that make a topic each."""
    for number in range(sequences):
        on.begin(f"run-{number}")
        on.play(CREATE)
    on.begin("run")


def test_what_was_deleted_is_gone_before_it_is_too_much(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "MANY_DELETED", 2)
    one = Player("reference", cluster)
    one_after_the_other(one, 2)
    one.tidy()
    assert len(deleted(cluster)) == 4
    one_after_the_other(one, 1)
    one.tidy()
    assert deleted(cluster) == []
    assert one.deleted == 0
    assert one.play(CREATE).response.topics[0].error_code == 0
    one.close()


def test_a_restart_in_a_sequence_removes_nothing(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[bool] = []
    monkeypatch.setattr(player, "restart", lambda cluster, *, without_deleted: told.append(without_deleted))
    one = Player("reference", cluster)
    one.restart(Restart())
    assert told == [False]
    one.close()


def test_files_out_of_reach_are_left() -> None:
    class Away:
        bootstrap = "127.0.0.1:1"
        nodes = ()

    assert not can_clear(Away())  # type: ignore[arg-type]


def test_players_who_share_a_node_stop_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "MANY_DELETED", 40)
    monkeypatch.setattr(model_command, "MANY_DELETED", 40)
    starts: list[bool] = []
    plain = Player.restart

    def counted(self: Player, action: Restart, *, without_deleted: bool = False) -> None:
        starts.append(without_deleted)
        plain(self, action, without_deleted=without_deleted)

    monkeypatch.setattr(Player, "restart", counted)
    judging = Judging(target="reference", seed=1, writers=("topics",))
    judging.run(1.0, 1, tmp_path, print)
    assert not judging.found
    assert starts
    assert all(starts)
