"""Records of one producer keep their order.

**Claim** Records that one producer sends to one partition stand there in the order of sending, each once, and a record
that was sent after another was acknowledged stands behind it, with up to five requests in flight.

**Why it matters** "Created, paid, cancelled" means something else in another order.

**Kafka says** producer configuration max.in.flight.requests.per.connection with enable.idempotence=true; KIP-98.

**Cannot see** order between partitions, of which Kafka promises none.

**Rejects** tests/plants/reorders_two_batches.py,
tests/unit/harness/judging/checkers/test_queue_checkers.py::test_a_checker_rejects_its_anomaly
"""

from __future__ import annotations

import pytest

from harness.clients.client import CLIENTS
from harness.judging.guarantees import ClientSettings
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.names import Names
from harness.workloads.queue import Queue

pytestmark = [pytest.mark.feature("Produce"), pytest.mark.severity("critical")]
FIVE_IN_FLIGHT = ClientSettings(acks="all", is_idempotent=True, in_flight=5)


@pytest.mark.claim("O4", "O8", "O5", "O3")
@pytest.mark.parametrize("client", CLIENTS, indirect=True)
def test_order_of_one_producer(drive: Drive, names: Names) -> None:
    queue = Queue(topic=names.topic("orders"), partitions=2, producers=2, rate=800, client=FIVE_IN_FLIGHT)

    drive(queue, duration_s=2)


@pytest.mark.claim("O4", "O8", "O5")
def test_order_holds_through_a_restart(drive: Drive, names: Names) -> None:
    """Records of one producer keep their order although the broker restarts while they are on their way."""
    queue = Queue(topic=names.topic("orders"), partitions=1, producers=3, rate=800, client=FIVE_IN_FLIGHT)

    drive(queue, "restart", duration_s=3, hold_s=0.5)
