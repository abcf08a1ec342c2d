"""A retried batch is appended once.

**Claim** With enable.idempotence=true every record is in the log once and in order, although the broker was killed and
paused while up to five requests were on their way, so that clients sent batches again.

**Why it matters** A payment that is sent again because its answer was lost must not be made twice.

**Kafka says** producer configuration enable.idempotence; KIP-98, KIP-360.

**Cannot see** the state of producers across a change of leader: there is one replica.

**Rejects** tests/unit/harness/judging/checkers/test_queue_checkers.py::test_a_checker_rejects_its_anomaly
"""

from __future__ import annotations

import pytest

from harness.judging.guarantees import ClientSettings
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.names import Names
from harness.workloads.queue import Queue

pytestmark = [pytest.mark.feature("InitProducerId"), pytest.mark.severity("critical")]


@pytest.mark.claim("O4", "O5", "D1")
def test_retried_batches_are_appended_once(drive: Drive, names: Names) -> None:
    settings = ClientSettings(acks="all", is_idempotent=True, in_flight=5)
    queue = Queue(topic=names.topic("payments"), partitions=1, producers=3, rate=600, client=settings)

    # The request timeout is 3 s: a pause longer than it makes clients send again what the broker holds already.
    drive(queue, "pause", "kill", hold_s=3.5)
