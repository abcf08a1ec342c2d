"""Acknowledged records survive.

**Claim** An acknowledged record is in the log at the end of the run, at the acknowledged offset, with the key, headers,
timestamp and value that were sent, even if the broker is killed, paused or restarted while records are written. A
record from an idempotent producer (acks=all) is there exactly once. A record that a consumer has read stays in the log.

**Why it matters** This is what an application means by "sent".

**Kafka says** producer configuration acks: the leader answers when it (acks=1), or all in-sync replicas (acks=all),
have written the record. With one replica both settings promise the same. Only enable.idempotence promises that a record
is there once.

**Cannot see** loss of power: a killed process leaves what it wrote in the page cache. Loss of a replica.

**Rejects** tests/plants/acknowledges_before_writing.py, tests/plants/duplicates_a_retried_batch.py,
tests/plants/loses_the_unflushed_tail_on_kill.py, tests/plants/refuses_after_appending.py,
tests/plants/serves_a_corrupt_batch.py, tests/plants/skips_a_batch.py
"""

from __future__ import annotations

import pytest

from harness.judging.guarantees import ClientSettings
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.names import Names
from harness.workloads.queue import Queue

pytestmark = [
    pytest.mark.feature("Produce"),
    pytest.mark.severity("blocker"),
    pytest.mark.document("producer configuration acks", "https://kafka.apache.org/documentation/#producerconfigs_acks"),
]


@pytest.mark.claim("D1", "D8", "O1", "O2", "O7")
@pytest.mark.parametrize("acks", [pytest.param("all", marks=pytest.mark.claim("O5")), "1"], ids=["acks_all", "acks_1"])
@pytest.mark.parametrize("fault", [None, "kill", "pause", "restart"], ids=["no-fault", "kill", "pause", "restart"])
def test_acknowledged_records_survive(drive: Drive, names: Names, fault: str | None, acks: str) -> None:
    settings = ClientSettings(acks=acks, is_idempotent=acks == "all")

    drive(Queue(topic=names.topic("orders"), partitions=2, client=settings), fault)
