"""Acknowledged records survive a full disk.

**Claim** When the disk of one of a broker's log folders fills up while producers write, the folder is taken offline and
reported as offline, and the broker keeps running; a broker that has no other folder shuts down. Once the disk has free
space and the broker has been restarted, every acknowledged record is in the log, at the acknowledged offset, with the
bytes that were sent, in every folder; a record from an idempotent producer (acks=all) is there exactly once.

**Why it matters** Disks fill up. Once an operator has freed space, every record that was acknowledged to clients must
be there.

**Kafka says** KIP-112 and KIP-858: a log folder with an IO error is offline until the broker starts again.

**Cannot see** Disks that fail in other ways: read errors, silent corruption. Whether the other folders are served
meanwhile: see durability/failed_folders.

**Rejects** tests/plants/acknowledges_what_a_full_disk_did_not_take.py, tests/plants/outlives_its_only_folder.py
"""

from __future__ import annotations

import pytest

from harness.history.operations import FaultAct
from harness.hosts import cluster_time as time
from harness.hosts import small_disk
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import Unproven, require
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.names import Names
from harness.targets.readiness import ask
from harness.targets.target import Cluster, Node
from harness.workloads.queue import Queue
from nemesis.disk import DiskFault, FullDisk
from nemesis.node_specs import NodeSpec, one
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_log_dirs_request import DescribeLogDirsRequest
from reference_broker.wire.messages.describe_log_dirs_response import DescribeLogDirsResult
from reference_broker.wire.primitives import MalformedRequest

pytestmark = [
    pytest.mark.cluster(small_disk_mb=16),
    pytest.mark.feature("Produce"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(112, 858),
]
NOTICED_WITHIN_S = 8.0


class WatchedDisk(DiskFault):
    """A disk fault that also records how the broker reacts to it while producers write."""

    noticed_within_s = NOTICED_WITHIN_S

    def __init__(self, topic: str, on: NodeSpec = one) -> None:
        super().__init__(on)
        self.topic = topic
        self.folders_with_records = 0
        """The number of folders that held partitions of the topic before the fault."""
        self.is_said_to_be_offline = False
        self.has_ended = False

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        """Injects the fault, then watches the broker and its folders for up to noticed_within_s."""
        (node,) = [node for node in cluster.nodes if node.id in act.nodes]
        before = folders_of(node) or ()
        self.folders_with_records = sum(any(topic.name == self.topic for topic in one.topics) for one in before)
        done = super().inject(cluster, act)
        deadline = time.monotonic() + self.noticed_within_s
        while not (self.is_said_to_be_offline or self.has_ended) and time.monotonic() < deadline:
            time.sleep(0.1)
            told = folders_of(node) or ()
            self.is_said_to_be_offline = any(one.error_code == ErrorCode.KAFKA_STORAGE_ERROR for one in told)
            self.has_ended = not node.is_alive()
        return done


class WatchedFullDisk(WatchedDisk, FullDisk):
    """A full disk; the broker notices it at its next write."""


def folders_of(node: Node) -> tuple[DescribeLogDirsResult, ...] | None:
    """The log folders as the broker describes them, or None if it does not answer."""
    try:
        return ask(node.address, ApiKey.DESCRIBE_LOG_DIRS, 1, DescribeLogDirsRequest(topics=None)).results
    except (OSError, MalformedRequest):
        return None


def require_others_go_on(fault: WatchedDisk) -> None:
    """Raises BrokenPromise unless the broker reported the folder as offline and kept running."""
    require(
        (fault.is_said_to_be_offline, fault.has_ended),
        (True, False),
        f"what became of the broker within {fault.noticed_within_s:g} s (said that a folder is offline, ended)",
        claim="D10",
        promise="a log folder that fails is taken offline, and said to be so; the others go on (KIP-112)",
    )


@pytest.mark.claim("D1", "D10", "O1", "O2", "O7")
@pytest.mark.parametrize("acks", [pytest.param("all", marks=pytest.mark.claim("O5")), "1"], ids=["acks_all", "acks_1"])
def test_acknowledged_records_survive_a_full_disk(drive: Drive, names: Names, acks: str) -> None:
    """One of two folders is full: it is reported as offline, the broker keeps running, and no acknowledged record is
    lost."""
    topic = names.topic("orders")
    settings = ClientSettings(acks=acks, is_idempotent=acks == "all")
    fault = WatchedFullDisk(topic)

    drive(Queue(topic=topic, partitions=4, client=settings), fault, duration_s=4)

    if fault.folders_with_records < 2:
        raise Unproven(f"all partitions of {topic} are in one folder, so that the other was not tried")
    require_others_go_on(fault)


@pytest.mark.claim("D1", "D10", "O1", "O2", "O7")
@pytest.mark.cluster(small_disk_mb=16, config={"log.dirs": small_disk.FOLDER})
def test_a_broker_without_another_folder_ends_and_loses_nothing(drive: Drive, names: Names) -> None:
    """The only folder is full: the broker shuts down, and no acknowledged record is lost."""
    topic = names.topic("orders")
    settings = ClientSettings(acks="1", is_idempotent=False)
    fault = WatchedFullDisk(topic)

    drive(Queue(topic=topic, client=settings), fault, duration_s=4)

    require(
        fault.has_ended,
        True,
        f"whether the broker ended within {NOTICED_WITHIN_S:g} s",
        claim="D10",
        promise="a broker of which no log folder is left ends (KIP-112)",
    )
