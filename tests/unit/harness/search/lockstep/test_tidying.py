"""A node on which many topics were deleted starts without their files, between two sequences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from harness.clients.connection import RawConnection
from harness.search.lockstep import model_command, player
from harness.search.lockstep.actions import Request
from harness.search.lockstep.clusters import Opened, can_clear, opened, restart
from harness.search.lockstep.model_command import Judging
from harness.search.lockstep.player import Player
from harness.targets.target import Cluster
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.join_group_request import JoinGroupRequest, JoinGroupRequestProtocol
from reference_broker.wire.messages.list_groups_request import ListGroupsRequest
from reference_broker.wire.messages.offset_commit_request import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from reference_broker.wire.primitives import GroupId, TopicName

CREATE = Request(
    message=CreateTopicsRequest(
        topics=(CreatableTopic(name=TopicName("orders"), num_partitions=2, replication_factor=1),), timeout_ms=5_000
    ),
    version=7,
)
COMMIT = Request(
    message=OffsetCommitRequest(
        group_id=GroupId("workers"),
        topics=(
            OffsetCommitRequestTopic(
                name=TopicName("__consumer_offsets"),
                partitions=(OffsetCommitRequestPartition(partition_index=0, committed_offset=1),),
            ),
        ),
    ),
    version=8,
)
JOIN = Request(
    message=JoinGroupRequest(
        group_id=GroupId("joiners"),
        session_timeout_ms=60_000,
        protocol_type="consumer",
        protocols=(JoinGroupRequestProtocol(name="range", metadata=b""),),
    ),
    version=1,
)


@pytest.fixture
def side() -> Iterator[Opened]:
    """A reference as lockstep opens it."""
    with opened(["reference"]) as (side,):
        yield side


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
    on.begin("end")


def test_what_was_deleted_is_gone_before_it_is_too_much(side: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "MANY_DELETED", 2)
    one = Player(side)
    one_after_the_other(one, 2)
    one.tidy()
    assert len(deleted(side.cluster)) == 4
    one_after_the_other(one, 1)
    one.tidy()
    assert deleted(side.cluster) == []
    assert one.deleted == 0
    assert one.play(CREATE).response.topics[0].error_code == 0
    one.close()


def test_groups_of_earlier_sequences_go_once_they_are_many(side: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "MANY_SEQUENCES", 2)
    one = Player(side)

    def groups() -> list[str]:
        with RawConnection.to(side.cluster.bootstrap, client_id="onlooker") as asking:
            return sorted(found.group_id for found in asking.request(ApiKey.LIST_GROUPS, 4, ListGroupsRequest()).groups)

    for number in range(3):
        one.begin(f"run-{number}")
        one.tidy()
        one.play(COMMIT)
        one.play(JOIN)
    assert groups() == ["run-1-joiners", "run-1-workers", "run-2-joiners", "run-2-workers"]
    one.close()


def test_a_restart_finds_what_its_own_sequence_deleted(tmp_path: Path) -> None:
    class Node:
        data_dir = tmp_path

        def stop(self) -> None:
            (tmp_path / "run-1-orders-0.0a-delete").mkdir()
            (tmp_path / "run-11-orders-0.0b-delete").mkdir()
            (tmp_path / "run-1-events-0").mkdir()

        def start(self) -> None:
            assert sorted(one.name for one in tmp_path.iterdir()) == ["run-1-events-0", "run-1-orders-0.0a-delete"]

        def wait_ready(self) -> None:
            pass

    class OneNode:
        nodes = (Node(),)

    restart(cast(Cluster, OneNode()), keep="run-1-")


def test_files_out_of_reach_are_left() -> None:
    class Away:
        bootstrap = "127.0.0.1:1"
        nodes = ()

    assert not can_clear(cast(Cluster, Away()))


def test_players_who_share_a_node_stop_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "MANY_DELETED", 40)
    monkeypatch.setattr(model_command, "MANY_DELETED", 40)
    starts: list[str] = []
    monkeypatch.setattr(player, "restart", lambda cluster, keep: starts.append(keep))
    judging = Judging(target="reference", seed=1, writers=("topics",))
    for seconds in range(1, 60):  # in all; a busy machine deletes few topics in one
        judging.run(seconds, 1, tmp_path, print)
        if starts:
            break
    assert not judging.found
    assert starts
