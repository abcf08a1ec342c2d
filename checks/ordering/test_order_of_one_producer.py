"""Records of one producer keep their order.

**Claim** Records that one producer sends to one partition are in the log in the order in which they were sent, each
exactly once. A record that was sent after another one was acknowledged has a higher offset. This holds with up to five
requests in flight, if the client has that setting, and if the broker restarts meanwhile. Without a restart,
consumers are seen to read the records in that order.

**Why it matters** "Created, paid, cancelled" means something different in another order.

**Kafka says** producer configuration max.in.flight.requests.per.connection with enable.idempotence=true; KIP-98.

**Cannot see** order between partitions, which Kafka does not promise.

**Rejects** tests/plants/duplicates_a_retried_batch.py, tests/plants/reorders_two_batches.py
"""

from __future__ import annotations

import pytest

from harness.judging.guarantees import ClientSettings
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.names import Names
from harness.workloads.queue import Queue

pytestmark = [
    pytest.mark.feature("Produce"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(98),
    pytest.mark.document(
        "producer configuration max.in.flight.requests.per.connection",
        "https://kafka.apache.org/documentation/#producerconfigs_max.in.flight.requests.per.connection",
    ),
    pytest.mark.document(
        "producer configuration enable.idempotence",
        "https://kafka.apache.org/documentation/#producerconfigs_enable.idempotence",
    ),
]
ONE_IN_FLIGHT, FIVE_IN_FLIGHT = (ClientSettings(acks="all", is_idempotent=True, in_flight=count) for count in (1, 5))
CLAIMS = pytest.mark.claim("O4", "O8", "O5", "O3")


@CLAIMS
@pytest.mark.parametrize("client", ["confluent", "kafka_python"], indirect=True)
def test_order_with_five_requests_in_flight(drive: Drive, names: Names) -> None:
    """Clients that send up to five requests before the first is answered keep the order of their records."""
    queue = Queue(topic=names.topic("orders"), partitions=2, producers=2, rate=800, client=FIVE_IN_FLIGHT)

    drive(queue, duration_s=2)


@CLAIMS
@pytest.mark.parametrize("client", ["aiokafka", "raw"], indirect=True)
def test_order_with_one_request_in_flight(drive: Drive, names: Names) -> None:
    """Clients that can have only one request in flight keep the order of their records."""
    queue = Queue(topic=names.topic("orders"), partitions=2, producers=2, rate=800, client=ONE_IN_FLIGHT)

    drive(queue, duration_s=2)


@pytest.mark.claim("O4", "O8", "O5")
def test_order_holds_through_a_restart(drive: Drive, names: Names) -> None:
    """Records of one producer keep their order even if the broker restarts while requests are in flight."""
    queue = Queue(topic=names.topic("orders"), partitions=1, producers=3, rate=800, client=FIVE_IN_FLIGHT)

    drive(queue, "restart", duration_s=3, hold_s=0.5)
