"""Apache Kafka 4.3.1 and our broker in one cluster of three, two nodes of the one and one of the other: each takes over
from the other as leader and as active controller, they hold the same bytes, and each goes on with the other's folders.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from harness.clients.leader_connections import RawAdmin
from harness.clients.node_client import until
from harness.pytest_plugin.lacking import skip_for
from harness.replicas.collecting import metadata_logs_of, require_equal_metadata_logs, require_equal_replicas
from harness.targets.local_cluster import LocalCluster
from harness.targets.local_node import LocalNode, Software
from harness.targets.mixed import MixedTarget
from harness.targets.target import ClusterSpec, resolve
from reference_broker.wire.errors import ErrorCode
from tests.real.two_kinds import (
    WITHIN_S,
    Load,
    active_controller,
    bytes_of,
    create,
    faults_of,
    node_of,
    read_all,
)

pytestmark = pytest.mark.long

OURS, KAFKAS = "reference", "kafka@4.3.1"
TOPIC = "orders"
PARTITIONS = 2
DUMP = "org.apache.kafka.tools.DumpLogSegments"
SNAPSHOTS_EVERY = {"metadata.log.max.record.bytes.between.snapshots": "2000"}


class Cluster:
    """Three nodes of two kinds in turn. `first` leads the topic's first partition, `second` its other one."""

    def __init__(self, first: str, second: str) -> None:
        target = resolve(f"mixed:{first},{second}")
        assert isinstance(target, MixedTarget)
        spec = ClusterSpec(nodes=3, config=SNAPSHOTS_EVERY)
        if (lack := target.lack(spec)) is not None:
            skip_for(lack)
        self._software: dict[str, Software] = dict(zip((first, second), target.software(), strict=True))
        self.cluster: LocalCluster = target.open(spec)
        self.kinds = {node.id: kind for node, kind in zip(self.nodes, (first, second, first), strict=True)}
        assert create(self.nodes[0], TOPIC, ((1, 2, 3), (2, 1, 3)), **{"min.insync.replicas": "2"}) == ErrorCode.NONE
        self.cluster.wait_healthy()
        with Load(self.cluster.bootstrap, TOPIC, PARTITIONS) as load:
            until(lambda: load.count(0) > 50 and load.count(1) > 50, WITHIN_S, "the first records are acknowledged")

    @property
    def nodes(self) -> tuple[LocalNode, ...]:
        return self.cluster.nodes

    @property
    def alone(self) -> LocalNode:
        """The only node of its kind."""
        return self.nodes[1]

    def leader(self, partition: int) -> LocalNode:
        return node_of(self.cluster, self.cluster.view(topics=[TOPIC]).leader_of(TOPIC, partition))

    def restore(self, node: LocalNode) -> None:
        node.start()
        node.wait_ready(WITHIN_S)
        self.cluster.wait_healthy()

    def exchange(self, node: LocalNode) -> None:
        """From its next start on a node is run by the other kind."""
        self.kinds[node.id] = KAFKAS if self.kinds[node.id] == OURS else OURS
        node.run_with(self._software[self.kinds[node.id]])

    def format_anew(self, node: LocalNode) -> None:
        """As if a node had got a new disk."""
        meta = (node.data_dir / "meta.properties").read_text()
        (cluster_id,) = re.findall("(?m)^cluster.id=(.*)$", meta)
        shutil.rmtree(node.data_dir)
        software = self._software[self.kinds[node.id]]
        command = software.format_command(node.properties, cluster_id)
        environment = os.environ | software.environment
        subprocess.run(command, cwd=self.cluster.folder, env=environment, capture_output=True, timeout=120, check=True)

    def hand_over(self, to: LocalNode) -> None:
        """Kills the active controller so that no other than `to` can follow it: the third node has a shorter log."""
        former = node_of(self.cluster, active_controller([to]))
        if former is to:
            return
        (third,) = [node for node in self.nodes if node not in (former, to)]
        third.pause()
        for number in range(2):  # the answer to the fetch that the third node had sent may bring it the first of them
            name = f"taken-over-{number}-by-{to.id}-{os.urandom(3).hex()}"
            assert create(to, name, ((to.id, former.id),)) == ErrorCode.NONE
        former.kill()
        third.resume()
        until(lambda: active_controller([to]) == to.id, WITHIN_S, f"node {to.id} takes over from node {former.id}")
        self.restore(former)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((OURS, KAFKAS), id="two of ours", marks=pytest.mark.xdist_group("two of ours")),
        pytest.param((KAFKAS, OURS), id="two of Kafka's", marks=pytest.mark.xdist_group("two of Kafka's")),
    ],
)
def mixed(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    made = Cluster(*request.param)
    yield made
    made.cluster.close()


def test_a_killed_leader_of_either_kind_is_replaced_and_nothing_is_lost(mixed: Cluster) -> None:
    with Load(mixed.cluster.bootstrap, TOPIC, PARTITIONS) as load:
        until(lambda: load.count(0) > 100 and load.count(1) > 100, WITHIN_S, "records are acknowledged")
        killed = []
        for partition in range(PARTITIONS):
            leader = mixed.leader(partition)
            killed.append(mixed.kinds[leader.id])
            leader.kill()
            until(
                lambda was=leader, of=partition: mixed.leader(of).id != was.id,  # type: ignore[misc]
                WITHIN_S,
                f"another node leads partition {partition} once node {leader.id} is gone",
            )
            so_far = load.count(partition)
            until(
                lambda of=partition, so_far=so_far: load.count(of) > so_far + 100,  # type: ignore[misc]
                WITHIN_S,
                f"records of partition {partition} are acknowledged by the new leader",
            )
            mixed.restore(leader)

    assert sorted(killed) == sorted([OURS, KAFKAS])
    assert load.failures == []
    found = read_all(mixed.cluster.bootstrap, TOPIC, PARTITIONS)
    assert {where: found.get(where) for where in load.acknowledged} == load.acknowledged
    require_equal_replicas(mixed.cluster, TOPIC, PARTITIONS)


def test_segment_files_are_equal_below_the_high_watermark(mixed: Cluster) -> None:
    require_equal_replicas(mixed.cluster, TOPIC, PARTITIONS)
    for partition in range(PARTITIONS):
        files = [bytes_of(node, TOPIC, partition) for node in mixed.nodes]
        assert files[0]
        assert [one == files[0] for one in files] == [True] * 3


def test_the_active_controller_of_each_kind_is_followed_by_one_of_the_other(mixed: Cluster) -> None:
    for to in (mixed.alone, mixed.nodes[0], mixed.alone):
        mixed.hand_over(to)

    require_equal_metadata_logs(mixed.cluster, [node.id for node in mixed.nodes])


def test_images_are_equal_record_by_record(mixed: Cluster) -> None:
    for _ in range(6):
        assert create(mixed.nodes[0], f"image-{os.urandom(3).hex()}", ((1, 2, 3),) * 4) == ErrorCode.NONE
    until(
        lambda: all(any(one.records for one in log.snapshots) for log in metadata_logs_of(mixed.cluster)),
        WITHIN_S,
        "every node writes a snapshot",
    )
    require_equal_metadata_logs(mixed.cluster, [node.id for node in mixed.nodes])
    logs = metadata_logs_of(mixed.cluster)

    # A node that came late began with a snapshot.
    common = range(max(log.start for log in logs), min(log.end for log in logs))
    held = [{one.offset: one for one in log.records if one.offset in common} for log in logs]
    assert held[0]
    assert [one == held[0] for one in held] == [True] * 3
    assert [faults_of(log) for log in logs] == [[]] * 3


@pytest.mark.parametrize("lacking", ["alone", "others"])
def test_a_node_with_an_empty_folder_gets_a_snapshot_of_the_other_kind(mixed: Cluster, lacking: str) -> None:
    is_alone = lacking == "alone"
    node, leader = (mixed.alone, mixed.nodes[0]) if is_alone else (mixed.nodes[0], mixed.alone)
    mixed.hand_over(leader)
    node.kill()
    mixed.format_anew(node)

    mixed.restore(node)

    require_equal_metadata_logs(mixed.cluster, [one.id for one in mixed.nodes])
    (log,) = metadata_logs_of(mixed.cluster, [node.id])
    assert log.start > 0
    assert any(one.end == log.start for one in log.snapshots)
    assert faults_of(log) == []
    require_equal_replicas(mixed.cluster, TOPIC, PARTITIONS)


def test_kafkas_dump_tells_the_same_of_every_metadata_log(mixed: Cluster, kafka: Any) -> None:
    require_equal_metadata_logs(mixed.cluster, [node.id for node in mixed.nodes])
    told: list[dict[int, str]] = []
    for node in mixed.nodes:
        first, *_ = sorted((node.data_dir / "__cluster_metadata-0").glob("*.log"))
        text = kafka.say(DUMP, "--cluster-metadata-decoder", "--files", first)
        records = [re.match(r"\| offset: (\d+) .* payload: (.*)", line) for line in text.splitlines()]
        told.append({int(found[1]): found[2] for found in records if found})

    common = told[0].keys() & told[1].keys() & told[2].keys()
    assert len(common) > 20
    assert all(one[offset] == told[0][offset] for one in told for offset in common)


@pytest.mark.parametrize("end", ["stopped one by one", "killed at once"])
def test_each_kind_goes_on_with_the_folders_of_the_other(mixed: Cluster, end: str) -> None:
    before = read_all(mixed.cluster.bootstrap, TOPIC, PARTITIONS)

    if end == "stopped one by one":
        for node in mixed.nodes:
            node.stop()
            mixed.exchange(node)
            mixed.restore(node)
    else:
        for node in mixed.nodes:
            node.kill()
            mixed.exchange(node)
        for node in mixed.nodes:
            node.start()
        for node in mixed.nodes:
            node.wait_ready(WITHIN_S)
        mixed.cluster.wait_healthy()

    with Load(mixed.cluster.bootstrap, TOPIC, PARTITIONS) as load:
        until(lambda: load.count(0) > 50 and load.count(1) > 50, WITHIN_S, "records are acknowledged")
    after = read_all(mixed.cluster.bootstrap, TOPIC, PARTITIONS)
    assert {where: after.get(where) for where in before} == before
    assert {where: after.get(where) for where in load.acknowledged} == load.acknowledged
    assert create(mixed.nodes[1], f"after-{os.urandom(3).hex()}", ((1, 2), (2, 3), (3, 1))) == ErrorCode.NONE
    mixed.cluster.wait_healthy()
    require_equal_replicas(mixed.cluster, TOPIC, PARTITIONS)
    require_equal_metadata_logs(mixed.cluster, [node.id for node in mixed.nodes])


@pytest.mark.parametrize(
    ("name", "controllers"),
    [(f"mixed:{KAFKAS},{OURS},{OURS}", 2), (f"mixed:{OURS},{KAFKAS}", 1)],
    ids=["a broker of Kafka's joins our controllers", "a broker of ours joins Kafka's controllers"],
)
def test_a_broker_serves_with_the_controllers_of_the_other_kind(name: str, controllers: int) -> None:
    target = resolve(name)
    spec = ClusterSpec(nodes=1, controllers=controllers)
    if (lack := target.lack(spec)) is not None:
        skip_for(lack)
    cluster = target.open(spec)
    try:
        assert isinstance(cluster, LocalCluster)
        broker = cluster.nodes[0]
        assert create(broker, TOPIC, ((1,), (1,))) == ErrorCode.NONE
        with Load(cluster.bootstrap, TOPIC, PARTITIONS) as load:
            until(lambda: load.count(0) > 50, WITHIN_S, "records are acknowledged")
        assert read_all(cluster.bootstrap, TOPIC, PARTITIONS) == load.acknowledged
        broker.kill()
        broker.start()
        broker.wait_ready(WITHIN_S)
        cluster.wait_healthy()
        assert read_all(cluster.bootstrap, TOPIC, PARTITIONS) == load.acknowledged
        admin = RawAdmin(cluster.bootstrap)
        admin.delete_topic(TOPIC)
        admin.close()
    finally:
        cluster.close()
