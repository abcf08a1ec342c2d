"""Acknowledged records survive a full disk.

**Claim** When the disk of one of a broker's log folders has no room left while producers write, the folder is taken
offline and said to be so, and a broker that has no other folder ends; once there is room and the broker was started
again, every record that was acknowledged is there, once, at its offset, with its bytes, in every folder.

**Why it matters** Disks fill up. What an operator finds after making room must be what clients were told.

**Kafka says** KIP-112 and KIP-858: a log folder with an IO error is offline until the broker starts again.

**Cannot see** Disks that fail in other ways: read errors, silent corruption.

**Rejects** tests/plants/acknowledges_what_a_full_disk_did_not_take.py
"""

from __future__ import annotations

import time

import pytest

from harness.history.operations import FaultAct
from harness.hosts import small_disk
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import BrokenPromise
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.names import Names
from harness.targets.readiness import ask
from harness.targets.target import Cluster
from harness.workloads.queue import Queue
from nemesis.disk import FullDisk
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_log_dirs_request import DescribeLogDirsRequest
from reference_broker.wire.primitives import MalformedRequest

pytestmark = [
    pytest.mark.cluster(small_disk_mb=16),
    pytest.mark.feature("Produce"),
    pytest.mark.severity("critical"),
]
NOTICED_WITHIN_S = 8.0


class WatchedFullDisk(FullDisk):
    """A full disk, and whether the broker said that a folder is offline, or ended, while producers wrote to it."""

    def __init__(self) -> None:
        super().__init__()
        self.is_noticed = False

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        """Fills the disk and looks for a while at what the broker says."""
        done = super().inject(cluster, act)
        deadline = time.monotonic() + NOTICED_WITHIN_S
        while not self.is_noticed and time.monotonic() < deadline:
            time.sleep(0.1)
            self.is_noticed = not cluster.nodes[0].is_alive() or _has_failed_folder(cluster)
        return done


def _has_failed_folder(cluster: Cluster) -> bool:
    try:
        told = ask(cluster.nodes[0].address, ApiKey.DESCRIBE_LOG_DIRS, 1, DescribeLogDirsRequest(topics=None)).results
    except (OSError, MalformedRequest):
        return False
    return any(one.error_code == ErrorCode.KAFKA_STORAGE_ERROR for one in told)


@pytest.mark.claim("D1", "D10", "O1", "O2")
@pytest.mark.parametrize("acks", ["all", "1"], ids=["acks_all", "acks_1"])
def test_acknowledged_records_survive_a_full_disk(drive: Drive, names: Names, acks: str) -> None:
    settings = ClientSettings(acks=acks, is_idempotent=acks == "all")
    fault = WatchedFullDisk()

    drive(Queue(topic=names.topic("orders"), partitions=4, client=settings), fault, duration_s=4)

    require_noticed(fault)


@pytest.mark.claim("D1", "D10")
@pytest.mark.cluster(small_disk_mb=16, config={"log.dirs": small_disk.FOLDER})
def test_a_broker_without_another_folder_ends_and_loses_nothing(drive: Drive, names: Names) -> None:
    settings = ClientSettings(acks="1", is_idempotent=False)
    fault = WatchedFullDisk()

    drive(Queue(topic=names.topic("orders"), client=settings), fault, duration_s=4)

    require_noticed(fault)


def require_noticed(fault: WatchedFullDisk) -> None:
    if not fault.is_noticed:
        raise BrokenPromise(
            f"A log folder's disk was full for {NOTICED_WITHIN_S:g} s while producers wrote to it, and no folder was "
            "said to be offline.",
            promise="a log folder that fails is taken offline, and said to be so (KIP-112)",
        )
