"""One of three replicas loses a log folder, and the others keep working.

**Claim** When one of a leader's log folders disappears while producers write, as if its disk was unmounted, the folder
is taken offline and reported as offline, the broker keeps running, and another replica becomes leader. Once the folder
is back and the broker has been restarted, every record that was acknowledged with acks=all is in the log, exactly once
and in its producer's order; all replicas are in sync and hold the same batches.

**Why it matters** Disks fail in other ways than by filling up. Replication exists so that clients do not notice that
either.

**Kafka says** KIP-112 and KIP-858: a log folder with an IO error is offline until the broker starts again, and the
controller elects other leaders for the partitions in it.

**Cannot see** reads and writes that fail while files are open; a folder that comes back empty (durability/every_fault).

**Rejects** tests/plants/clusters/test_folder_checks.py::test_a_check_rejects_what_a_failed_folder_brings_out
"""

from __future__ import annotations

import pytest

from checks.durability.test_full_disk_of_one_replica import leader_on_a_small_disk, require_records_survive
from checks.durability.test_full_disks import WatchedDisk
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.names import Names
from harness.targets.target import Cluster
from nemesis.disk import LostFolder

pytestmark = [
    pytest.mark.cluster(nodes=3, small_disk_mb=32),
    pytest.mark.feature("Replication"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(112, 858),
    pytest.mark.long,
]
LASTS_S = 20.0


class WatchedLostFolder(WatchedDisk, LostFolder):
    """A folder that disappeared. A broker that has its files open notices when it next opens one: when it writes the
    checkpoint of high watermarks, every 5 s (replica.high.watermark.checkpoint.interval.ms)."""

    noticed_within_s = 15.0


@pytest.mark.claim("D1", "D6", "D8", "D10", "O1", "O2", "O3", "O4", "O5")
def test_acknowledged_records_survive_a_lost_folder_of_their_leader(
    cluster: Cluster, drive: Drive, names: Names
) -> None:
    fault = WatchedLostFolder(names.topic("orders"), leader_on_a_small_disk(cluster))

    require_records_survive(cluster, drive, fault, LASTS_S)
