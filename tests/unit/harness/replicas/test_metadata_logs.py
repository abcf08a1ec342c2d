"""The metadata log is read from its folder, and replayed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.replicas.metadata_log import MetadataLog, read_metadata_log
from harness.replicas.metadata_state import differences, replayed, wrongs
from harness.replicas.replica_log import UnreadableLog
from reference_broker.wire.codec import encode_bytes
from reference_broker.wire.messages.abort_transaction_record import AbortTransactionRecord
from reference_broker.wire.messages.begin_transaction_record import BeginTransactionRecord
from reference_broker.wire.messages.clear_elr_record import ClearElrRecord
from reference_broker.wire.messages.end_transaction_record import EndTransactionRecord
from reference_broker.wire.messages.no_op_record import NoOpRecord
from reference_broker.wire.messages.register_broker_record import BrokerEndpoint, RegisterBrokerRecord
from reference_broker.wire.messages.register_controller_record import ControllerFeature, RegisterControllerRecord
from reference_broker.wire.messages.remove_topic_record import RemoveTopicRecord
from reference_broker.wire.messages.topic_record import TopicRecord
from reference_broker.wire.primitives import BrokerId, TopicName, Uuid, unsigned_varint
from reference_broker.wire.records import Record, encode_batch
from tests.plants.clusters.metadata_records import ORDERS, change, log, partition, recorded

NOW = 1_700_000_000_000
OTHER = Uuid(bytes(16))


def frame(message: object, version: int = 0, *, key: int | None = None) -> bytes:
    head = unsigned_varint(1) + unsigned_varint(message.API_KEY if key is None else key) + unsigned_varint(version)
    return head + encode_bytes(message, version)


def batch(base: int, *messages: object, epoch: int = 1, is_control: bool = False) -> bytes:
    records = [Record(base + at, NOW, None, frame(one)) for at, one in enumerate(messages)]
    return encode_batch(records, base_offset=base, leader_epoch=epoch, is_control=is_control)


def topic(name: str, topic_id: Uuid = ORDERS) -> TopicRecord:
    return TopicRecord(name=TopicName(name), topic_id=topic_id)


def write(tmp_path: Path, files: dict[str, bytes]) -> MetadataLog:
    folder = tmp_path / "__cluster_metadata-0"
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return read_metadata_log(3, tmp_path)


def test_records_and_snapshots_are_read_and_control_records_left_out(tmp_path: Path) -> None:
    found = write(
        tmp_path,
        {
            "00000000000000000000.log": batch(0, NoOpRecord(), is_control=True) + batch(1, topic("a"), NoOpRecord()),
            "00000000000000000003.log": batch(3, NoOpRecord(), epoch=2),
            "00000000000000000003-0000000001.checkpoint": batch(0, topic("a")),
            "00000000000000000003-0000000001.checkpoint.part": b"half",
        },
    )

    assert [(one.offset, one.epoch, one.batch, type(one.message).__name__) for one in found.records] == [
        (1, 1, 1, "TopicRecord"),
        (2, 1, 1, "NoOpRecord"),
        (3, 2, 3, "NoOpRecord"),
    ]
    assert (found.node, found.start, found.end) == (3, 0, 4)
    assert [(one.end, one.epoch, len(one.records)) for one in found.snapshots] == [(3, 1, 1)]


def test_a_record_of_an_unknown_key_is_refused(tmp_path: Path) -> None:
    data = encode_batch([Record(0, NOW, None, frame(NoOpRecord(), key=99))], base_offset=0)

    with pytest.raises(UnreadableLog, match="key 99 is unknown"):
        write(tmp_path, {"00000000000000000000.log": data})


def test_a_folder_without_a_metadata_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableLog, match="cannot be listed"):
        read_metadata_log(1, tmp_path)


def test_a_deleted_topic_takes_its_partitions_and_settings_with_it() -> None:
    state = replayed([*log().records, *recorded([RemoveTopicRecord(topic_id=ORDERS)])])

    assert {key[0] for key in state.facts()} == {"broker"}


def test_a_metadata_transaction_counts_when_it_ends() -> None:
    begun = [BeginTransactionRecord(), topic("a")]

    assert replayed(recorded(begun)).topics == {}
    assert replayed(recorded([*begun, AbortTransactionRecord()])).topics == {}
    assert replayed(recorded([*begun, EndTransactionRecord()])).topics == {bytes(ORDERS): "a"}


def test_a_change_keeps_what_it_does_not_name() -> None:
    messages = [topic("orders"), partition(eligible_leader_replicas=(3,)), change(isr=(1, 2))]
    (found,) = replayed(recorded(messages)).partitions.values()

    assert (found.isr, found.replicas, found.leader, found.leader_epoch) == ((1, 2), (1, 2, 3), 1, 4)
    assert (found.partition_epoch, found.eligible) == (8, (3,))


def test_eligible_leader_replicas_are_cleared_of_one_topic() -> None:
    messages = [topic("orders"), partition(eligible_leader_replicas=(3,)), topic("other", OTHER)]
    cleared = replayed(recorded([*messages, ClearElrRecord(topic_name=TopicName("orders"))]))
    kept = replayed(recorded([*messages, ClearElrRecord(topic_name=TopicName("other"))]))

    assert [one.eligible for state in (cleared, kept) for one in state.partitions.values()] == [(), (3,)]


def test_an_eligible_replica_may_lead() -> None:
    messages = [topic("orders"), partition(isr=(1,)), change(isr=(), leader=-1, eligible_leader_replicas=(1,))]

    assert list(wrongs(recorded([*messages, change(leader=1, isr=(1,), eligible_leader_replicas=())]))) == []


def test_an_unclean_leader_is_recovering() -> None:
    messages = [topic("orders"), partition(isr=(1,)), change(leader=2, isr=(2,), leader_recovery_state=1)]

    assert list(wrongs(recorded(messages))) == []


def test_a_record_of_what_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="PartitionChangeRecord of"):
        replayed(recorded([change(isr=(1,))]))


def test_states_that_differ_are_told_apart() -> None:
    one, other = replayed(recorded([topic("a")])), replayed(recorded([topic("b")]))

    assert differences(one.facts(), other.facts()) == [f"topic {bytes(ORDERS).hex()}: a and b"]
    assert differences(one.facts(), one.facts()) == []


@pytest.mark.parametrize(
    "registered",
    [
        lambda order: RegisterBrokerRecord(
            broker_id=BrokerId(1), end_points=tuple(BrokerEndpoint(name=name, host="h", port=9092) for name in order)
        ),
        lambda order: RegisterControllerRecord(
            controller_id=BrokerId(1), features=tuple(ControllerFeature(name=name) for name in order)
        ),
    ],
    ids=["a broker's listeners", "a controller's features"],
)
def test_the_order_in_a_registration_means_nothing(registered: Callable[[str], object]) -> None:
    one, other = (replayed(recorded([registered(order)])) for order in ("ab", "ba"))

    assert differences(one.facts(), other.facts()) == []
