"""ListOffsets finds the first offset at or after a given time.

**Claim** For a given time, ListOffsets answers with the first offset whose timestamp is at or after it, or with none if
every record is older; for the max timestamp (-3), it answers with the record that has the greatest timestamp. The
timestamps of records may be in any order.

**Why it matters** "Replay since nine o'clock" must not begin at ten.

**Kafka says** consumer API, `offsetsForTimes`; KIP-33, KIP-734 (max timestamp).

**Cannot see** several segments: see the checks of retention.

**Rejects** tests/plants/list_offsets_wrong_by_one.py
"""

from __future__ import annotations

from random import Random

import pytest

from harness.clients.client import Library
from harness.clients.leader_connections import RawAdmin
from harness.clients.transfer import Outgoing, send_all
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.targets.target import Cluster

pytestmark = [pytest.mark.feature("ListOffsets"), pytest.mark.kip(33, 734)]
START_MS = 1_700_000_000_000
MAX_TIMESTAMP = -3


@pytest.mark.claim("R9")
@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_offsets_by_time(
    cluster: Cluster,
    client: Library,
    admin: RawAdmin,
    names: Names,
    chance: Random,
    codec: str,
) -> None:
    topic = names.topic("readings")
    admin.create_topic(topic, config={"retention.ms": "-1"})
    times = [START_MS + chance.randrange(100) for _ in range(300)]
    producer = client.producer(cluster.bootstrap, ClientSettings(compression=codec), f"{topic}-producer")
    for first in range(0, len(times), 30):
        send_all(producer, topic, [Outgoing(value=bytes(60), partition=0, timestamp=at) for at in times[first:][:30]])
    producer.close()

    for asked in range(START_MS - 1, START_MS + 101):
        first_at_or_after = next(((n, at) for n, at in enumerate(times) if at >= asked), (-1, -1))
        require(
            admin.offset_at(topic, 0, asked), first_at_or_after, f"(offset, timestamp) answered for the time {asked}"
        )
    greatest = max(times)
    latest = (times.index(greatest), greatest)
    require(admin.offset_at(topic, 0, MAX_TIMESTAMP), latest, "(offset, timestamp) answered for the latest time")
