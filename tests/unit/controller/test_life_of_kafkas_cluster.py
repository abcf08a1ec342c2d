"""The deciders make the records that controllers of Apache Kafka 4.3.1 made in the life of a cluster of three nodes.

The log is read record by record; each decision in it is taken again over the image before it. One accident of Kafka is
left out: replicas that a reassignment removed stay eligible to lead there, although they are replicas no more.
"""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from cluster_in_memory import CONFIG
from msgspec.structs import replace

from reference_broker.controller import reassignment
from reference_broker.controller.heartbeat import controlled_shutdown, cordoned_directories, fencing, unfencing
from reference_broker.controller.leadership import PartitionChanges
from reference_broker.controller.partition_change import Election, Target
from reference_broker.metadata.delta import MetadataDelta
from reference_broker.metadata.image import MetadataImage
from reference_broker.wire.messages.begin_transaction_record import BeginTransactionRecord
from reference_broker.wire.messages.broker_registration_change_record import BrokerRegistrationChangeRecord
from reference_broker.wire.messages.partition_change_record import PartitionChangeRecord
from reference_broker.wire.messages.register_broker_record import RegisterBrokerRecord
from reference_broker.wire.messages.unregister_broker_record import UnregisterBrokerRecord
from reference_broker.wire.metadata_records import VersionedRecord, decode_frame
from reference_broker.wire.records import iter_batches
from reference_broker.wire.refusal import KafkaError

LOG = Path(__file__).resolve().parents[2] / "vectors" / "three_nodes_of_kafka.log.gz"
BROKERS = (1, 2, 3)
Records = list[VersionedRecord]


@dataclass
class Reading:
    """The log as it is read: the image so far, and what was decided again."""

    image: MetadataImage = field(default_factory=lambda: MetadataImage(cluster_id="C"))
    equal: Counter[str] = field(default_factory=Counter)
    other: list[tuple[str, Records]] = field(default_factory=list)

    def replay(self, records: Records) -> None:
        self.image = MetadataDelta.of(self.image, records, self.image.offset + len(records), 1).after

    def read(self, records: Records) -> None:
        """One batch: decisions about brokers with the partition changes that belong to them, and single changes."""
        if isinstance(records[0][0], BeginTransactionRecord):
            self.replay(records)
            return
        while records:
            leading = _leading(records)
            changes, rest = self._cleaned(leading), records[len(leading) :]
            marker = rest[0] if rest else None
            kind, options = self._decided_again(marker)
            if kind in ("unfencing", "controlled shutdown"):
                self._single(changes)
                following = _leading(rest[1:])
                self._compare(kind, self._decided_again(marker)[1][0], [rest[0], *self._cleaned(following)])
                records = rest[1 + len(following) :]
            else:
                self._finish(kind, options, changes, rest[:1])
                records = rest[1:]

    def _cleaned(self, changes: Records) -> Records:
        cleaned = [self._without_accident(one) for one in changes]
        return [one for one in cleaned if one is not None]

    def _finish(self, kind: str, options: list[Records], changes: Records, marker: Records) -> None:
        """Changes that a decision about a broker ends; what comes before it was decided for itself."""
        lengths = [len(one) - 1 for one in options if _same(one, [*changes[len(changes) + 1 - len(one) :], *marker])]
        own = max(lengths, default=0)
        self._single(changes[: len(changes) - own])
        if kind and lengths:
            self.equal[kind] += 1
        elif kind:
            self.other.append((kind, [*changes, *marker]))
        self.replay([*changes[len(changes) - own :], *marker])

    def _compare(self, kind: str, made: Records, found: Records) -> None:
        """A decision about a broker that begins with it; single changes may follow."""
        if _same(made, found[: len(made)]):
            self.equal[kind] += 1
            self.replay(found[: len(made)])
            self._single(found[len(made) :])
        else:
            self.other.append((kind, found))
            self.replay(found)

    def _single(self, changes: Records) -> None:
        for one in changes:
            kind = next((kind for kind, made in self._ways(one[0]) if made is not None and made == one), None)
            if kind is None:
                self.other.append(("change", [one]))
            else:
                self.equal[kind] += 1
            self.replay([one])

    def _without_accident(self, record: VersionedRecord) -> VersionedRecord | None:
        """A partition change without eligible replicas that are no replicas; None where nothing else is in it."""
        message = record[0]
        partition = self.image.topics.by_id[message.topic_id].partitions[message.partition_id]
        after = partition.changed_by(message)
        elr = tuple(one for one in after.elr if one in after.replicas)
        if elr == after.elr:
            return record
        cleaned = replace(message, eligible_leader_replicas=None if elr == partition.elr else elr)
        is_empty = cleaned == PartitionChangeRecord(partition_id=message.partition_id, topic_id=message.topic_id)
        return None if is_empty else (cleaned, record[1])

    def _decided_again(self, marker: VersionedRecord | None) -> tuple[str, list[Records]]:
        """(what was decided, the records that we would make of it: one of them where the log does not tell all)."""
        message = None if marker is None else marker[0]
        changes = PartitionChanges(self.image, CONFIG)
        match message:
            case BrokerRegistrationChangeRecord():
                broker = self.image.brokers[message.broker_id]
                if message.fenced > 0:
                    return "fencing", [fencing(changes, broker)]
                if message.fenced < 0:
                    return "unfencing", [unfencing(changes, broker)]
                if message.in_controlled_shutdown:
                    return "controlled shutdown", [controlled_shutdown(changes, broker)]
                return "cordoned folders", [cordoned_directories(broker, message.cordoned_log_dirs)]
            case RegisterBrokerRecord():
                assert marker is not None
                clean, unclean = changes.without(message.broker_id), changes.without_trust(message.broker_id)
                return "registration", [[*clean, marker], [*unclean, marker]]
            case UnregisterBrokerRecord():
                assert marker is not None
                broker_id = message.broker_id
                return "unregistration", [[*changes.without(broker_id), *changes.without_eligible(broker_id), marker]]
            case _:
                return "", []

    def _ways(self, message: PartitionChangeRecord) -> Iterator[tuple[str, VersionedRecord | None]]:
        """What could have been asked for: another ISR, an election, a move, or the end of a move."""
        topic = self.image.topics.by_id[message.topic_id]
        partition = topic.partitions[message.partition_id]
        changes = PartitionChanges(self.image, CONFIG)
        election = changes.election(topic)
        yield "election", changes.change(topic, partition, Target(election=Election.PREFERRED))
        if reassignment.is_reassigning(partition):
            with suppress(KafkaError):
                yield "cancel", reassignment._cancelled(changes, topic, partition)
        for isr in (message.isr, *(permutations(partition.replicas) if reassignment.is_reassigning(partition) else ())):
            for state in (None, 0):
                yield "ISR", changes.change(topic, partition, Target(isr=isr, recovery_state=state, election=election))
        for count in (1, 2, 3):
            for wanted in permutations(BROKERS, count):
                yield "move", reassignment._begun(changes, topic, partition, wanted)


def _leading(records: Records) -> Records:
    """The partition changes that come first."""
    count = next((at for at, one in enumerate(records) if not isinstance(one[0], PartitionChangeRecord)), len(records))
    return records[:count]


def _same(made: Records, found: Any) -> bool:
    return sorted(map(repr, made)) == sorted(map(repr, found))


@pytest.fixture(scope="module")
def reading() -> Reading:
    made = Reading()
    for batch in iter_batches(gzip.decompress(LOG.read_bytes())):
        if not batch.header.is_control:
            made.read([decode_frame(record.value or b"") for record in batch.records()])
    return made


def test_no_record_of_kafkas_controllers_is_another_than_ours(reading: Reading) -> None:
    assert reading.other == []


@pytest.mark.parametrize(
    ("kind", "least"),
    [
        ("registration", 5),
        ("unfencing", 5),
        ("fencing", 3),
        ("controlled shutdown", 1),
        ("unregistration", 1),
        ("ISR", 30),
        ("election", 8),
        ("move", 5),
        ("cancel", 2),
    ],
)
def test_each_kind_of_decision_is_in_the_log(reading: Reading, kind: str, least: int) -> None:
    assert reading.equal[kind] >= least
