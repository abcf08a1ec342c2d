"""What was read once is read again after a restart.

**Claim** After a clean stop, and after a kill, a topic holds the same records at the same offsets as before, and every
record that was acknowledged up to that moment.

**Why it matters** Upgrades stop brokers cleanly every few weeks; machines kill them without asking. Consumers that
start again must find what others have already acted on.

**Kafka says** documentation, "Persistence" and "Graceful shutdown"; producer configuration acks.

**Cannot see** how fast the recovery was, and whether a clean start skipped it.

**Rejects** tests/plants/truncates_a_good_batch_on_recovery.py,
tests/unit/harness/judging/checkers/test_queue_checkers.py::test_a_checker_rejects_its_anomaly
"""

from __future__ import annotations

import pytest

from harness.judging.guarantees import ClientSettings
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.names import Names
from harness.workloads.queue import Queue

SETTINGS = ClientSettings(acks="1", is_idempotent=False)
pytestmark = [pytest.mark.feature("Fetch"), pytest.mark.severity("blocker")]


@pytest.mark.claim("D8", "D9", "O1", "O2")
@pytest.mark.parametrize("fault", ["kill", "restart"])
def test_read_back_after_restart(drive: Drive, names: Names, fault: str) -> None:
    queue = Queue(topic=names.topic("ledger"), partitions=3, producers=3, rate=500, client=SETTINGS)

    drive(queue, at_end=[fault], duration_s=2)
