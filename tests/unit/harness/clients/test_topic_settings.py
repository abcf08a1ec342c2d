"""What a cluster promises of a topic is what the cluster says."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from harness.clients.client import ClientTrouble
from harness.clients.leader_connections import RawAdmin
from harness.clients.topic_settings import read_partition_states, read_topic_settings
from harness.history.operations import PartitionState
from harness.judging.guarantees import TopicSettings
from harness.targets.target import Cluster, ClusterSpec, resolve

SETTINGS = {
    "min.insync.replicas": "2",
    "unclean.leader.election.enable": "true",
    "cleanup.policy": "compact,delete",
    "retention.ms": "1000",
    "retention.bytes": "5000",
    "flush.messages": "1",
    "message.timestamp.type": "LogAppendTime",
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with contextlib.closing(resolve("reference").open(ClusterSpec())) as opened:
        yield opened


@pytest.fixture(scope="module")
def admin(cluster: Cluster) -> Iterator[RawAdmin]:
    with contextlib.closing(RawAdmin(cluster.bootstrap)) as opened:
        yield opened


def test_defaults_are_read_where_nothing_was_set(cluster: Cluster, admin: RawAdmin) -> None:
    admin.create_topic("plain")

    found = read_topic_settings(cluster.bootstrap, "plain")
    assert found == TopicSettings(has_eligible_leader_replicas=found.has_eligible_leader_replicas)


def test_every_setting_that_makes_a_promise_is_read(cluster: Cluster, admin: RawAdmin) -> None:
    admin.create_topic("special", config=SETTINGS)

    found = read_topic_settings(cluster.bootstrap, "special")
    assert found == TopicSettings(
        min_insync=2,
        is_unclean=True,
        cleanup_policy=("compact", "delete"),
        retention_ms=1_000,
        retention_bytes=5_000,
        is_flushed_before_ack=True,
        timestamp_type="LogAppendTime",
        has_eligible_leader_replicas=found.has_eligible_leader_replicas,
    )


def test_a_topic_that_is_not_there_has_no_settings(cluster: Cluster) -> None:
    with pytest.raises(ClientTrouble, match="nowhere"):
        read_topic_settings(cluster.bootstrap, "nowhere")


def test_partitions_are_described_in_their_order(cluster: Cluster, admin: RawAdmin) -> None:
    admin.create_topic("three", 3)

    found = read_partition_states(cluster.bootstrap, "three")
    assert found.partitions == tuple(PartitionState("three", number, 1, 0, (1,), (1,)) for number in range(3))


def test_the_first_address_that_answers_is_asked(cluster: Cluster, admin: RawAdmin) -> None:
    admin.create_topic("one")

    assert len(read_partition_states(f"127.0.0.1:1,{cluster.bootstrap}", "one").partitions) == 1


def test_a_cluster_that_is_away_tells_nothing() -> None:
    with pytest.raises(ClientTrouble, match="cannot be described"):
        read_partition_states("127.0.0.1:1", "one")
