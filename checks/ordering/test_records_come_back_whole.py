"""Records come back as they were sent.

**Claim** Key, headers (order, repeated names, empty values), timestamp and value come back exactly as they were sent,
whether empty, null, long or in any script, with every compression codec and every client, read by the same client and
by another. The batches in the log have valid CRCs, and the codec of the producer (or none, if compression would make a
batch larger).

**Why it matters** Applications encode their own data; the broker must not change a byte of it.

**Kafka says** documentation, "Record Batch", "Record"; topic configuration compression.type=producer keeps the codec.

**Cannot see** clients that are not in this suite.

**Rejects** tests/plants/changes_timestamps.py, tests/plants/drops_headers.py
"""

from __future__ import annotations

from random import Random

import pytest

from harness.clients.client import CLIENTS, Consumed, Library, library
from harness.clients.leader_connections import RawAdmin
from harness.clients.stored_batches import stored_batches
from harness.clients.transfer import Outgoing, produce, read_partitions
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import BrokenPromise, require
from harness.pytest_plugin.names import Names
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.feature("Produce"),
    pytest.mark.severity("blocker"),
    pytest.mark.document(
        "topic configuration compression.type", "https://kafka.apache.org/documentation/#topicconfigs_compression.type"
    ),
    pytest.mark.document("Kafka documentation, Record Batch", "https://kafka.apache.org/documentation/"),
    pytest.mark.document("Kafka documentation, Record", "https://kafka.apache.org/documentation/"),
]
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
START_MS = 1_700_000_000_000


def letters(chance: Random) -> list[Outgoing]:
    """Records with unusual contents, which a client or broker might change by mistake."""
    texts = ["", " ", "주문 1", "заказ", "a\x00b", "\ud7ff", "x" * 70_000]
    headers = (("trace", b"1"), ("trace", b"2"), ("empty", b""), ("이름", "주문".encode()), ("", b"no name"))
    found = [Outgoing(value=text.encode(), key=text.encode()[:100], partition=0) for text in texts]
    found += [
        Outgoing(value=b"no key", partition=0),
        Outgoing(value=None, key=b"tombstone", partition=0),
        Outgoing(value=b"with headers", key=b"k", partition=0, headers=headers),
        Outgoing(value=chance.randbytes(5_000), key=chance.randbytes(8), partition=0),
        Outgoing(value=bytes(20_000), key=b"zeros", partition=0),
    ]
    return [
        Outgoing(value=each.value, key=each.key, partition=0, headers=each.headers, timestamp=START_MS + 7 * number)
        for number, each in enumerate(found)
    ]


@pytest.mark.claim("O7", "P4")
@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("client", CLIENTS, indirect=True)
def test_records_come_back_whole(
    cluster: Cluster, client: Library, admin: RawAdmin, names: Names, chance: Random, codec: str
) -> None:
    topic = names.topic("letters")
    admin.create_topic(topic, config={"retention.ms": "-1"})  # the records have old timestamps
    sent = letters(chance)

    produce(client, cluster.bootstrap, topic, sent, ClientSettings(compression=codec))

    for reader in (client, library("raw")):
        found = read_partitions(reader, cluster.bootstrap, topic, 1, len(sent))
        _require_same(sent, found, f"sent by {client.name} with {codec}, read by {reader.name}")
    batches = stored_batches(cluster.bootstrap, topic, 0)
    require(
        [batch.crc_is_valid() for batch in batches], [True] * len(batches), "whether checksums are right, by batch,"
    )
    # A client does not compress a batch if that would only make it larger.
    codecs = {batch.header.compression.name.lower() for batch in batches} - {"none"}
    require(codecs, {codec} - {"none"}, f"the codecs of the batches that {client.name} sent with {codec}")


def _require_same(sent: list[Outgoing], found: list[Consumed], how: str) -> None:
    if len(found) != len(sent):
        raise BrokenPromise(f"{len(found)} of {len(sent)} records came back ({how}).")
    for number, (ours, theirs) in enumerate(zip(sent, found, strict=True)):
        parts = {
            "key": (ours.key, theirs.key),
            "value": (ours.value, theirs.value),
            "headers": (ours.headers, theirs.headers),
            "timestamp": (ours.timestamp, theirs.timestamp),
        }
        wrong = [f"{what}: {str(a)[:80]} came back as {str(b)[:80]}" for what, (a, b) in parts.items() if a != b]
        if wrong:
            raise BrokenPromise(
                f"Record {number} changed ({how}).", witness=wrong, anomaly="corrupt record", claim="O7"
            )
