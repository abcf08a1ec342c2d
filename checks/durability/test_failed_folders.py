"""A log folder that fails is taken offline and reported as such; the others keep working.

**Claim** When one of a broker's log folders can no longer be written to, requests for its partitions are answered with
KAFKA_STORAGE_ERROR and the partitions have no leader, while partitions in other folders can still be written and read,
and new partitions are created there. Groups whose offsets are in the failed folder have no coordinator until the
restart, and keep their offsets. Once the disk has free space and the broker has been restarted, all partitions are
served again, with every acknowledged record.

**Why it matters** A broker that keeps using a broken disk loses records silently; one that stops because of it takes
down the folders that still work.

**Kafka says** KIP-112, KIP-858; protocol guide: KAFKA_STORAGE_ERROR, Metadata's offline replicas.

**Cannot see** A broker whose only log folder fails: it shuts down (durability/full_disks).

**Rejects** tests/plants/empties_logs_after_a_crash.py, tests/plants/fails_all_folders_with_one.py,
tests/plants/goes_on_with_a_failed_folder.py, tests/plants/sends_groups_where_their_folder_is_gone.py
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import (
    batch,
    commit,
    coordinated,
    delete_records,
    fetch,
    join,
    list_offsets,
    offsets,
    produce,
    produce_quietly,
)
from harness.hosts.host import HostTrouble
from harness.judging.outcome import require
from harness.pytest_plugin.record import CheckRecord
from harness.targets.target import Cluster
from nemesis.disk import FullDisk
from nemesis.restore import restore
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_log_dirs_request import DescribableLogDirTopic, DescribeLogDirsRequest
from reference_broker.wire.messages.describe_producers_request import DescribeProducersRequest
from reference_broker.wire.messages.describe_producers_request import TopicRequest as ProducersOf
from reference_broker.wire.messages.describe_topic_partitions_request import (
    DescribeTopicPartitionsRequest,
    TopicRequest,
)
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.messages.offset_for_leader_epoch_request import (
    OffsetForLeaderEpochRequest,
    OffsetForLeaderPartition,
    OffsetForLeaderTopic,
)
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.records import iter_batches

pytestmark = [
    pytest.mark.cluster(small_disk_mb=16),
    pytest.mark.feature("KIP-112"),
    pytest.mark.severity("critical"),
    pytest.mark.setting("log.dirs"),
    pytest.mark.kip(112, 858),
    pytest.mark.document("Protocol guide", "https://kafka.apache.org/protocol.html"),
]
TOO_MUCH = "x" * 20_000
"""More bytes than fit into the last page that a file already occupies."""
MOST_TOPICS = 8
GROUPS = 16
"""Enough groups that each folder holds the committed offsets of some, whatever their names."""


@dataclass(frozen=True, slots=True)
class Topics:
    """A topic in the folder that failed and one in the other, each with a record; and groups."""

    lost: TopicName
    kept: TopicName
    groups: tuple[str, ...]
    """Groups with a committed offset; their partitions of __consumer_offsets are in both folders."""


@pytest.fixture
def topics(exchange: Exchange, cluster: Cluster, record: CheckRecord, chance: Random) -> Iterator[Topics]:
    """Yields two topics, one of them in a folder that has just failed; heals the disk at the end."""
    found = one_in_each_folder(exchange, cluster)
    coordinated(exchange)
    for group in found.groups:
        exchange.quietly(commit(group, found.kept, 1), 7)
    fault = FullDisk()
    record.faults += 1
    with record.step("disk"):
        fault.inject(cluster, fault.plan(cluster.view(topics=()), chance))
    answer = exchange.ask("a record that the disk does not take", produce(found.lost, batch(TOO_MUCH)), 9)
    require(code_of(answer), ErrorCode.KAFKA_STORAGE_ERROR, "the answer to a record that a full disk cannot take")
    for _ in exchange.patience():
        if exchange.quietly(about(found.lost)).topics[0].partitions[0].leader_id == -1:
            break
    yield found
    with record.step("heal"):
        fault.heal(cluster)
        fault.verify_healed(cluster)


def one_in_each_folder(exchange: Exchange, cluster: Cluster) -> Topics:
    """Creates topics until each folder has one; raises HostTrouble if a folder stays without one."""
    disk = cluster.nodes[0].small_disk
    if disk is None:
        raise HostTrouble(f"the node at {cluster.bootstrap} has no small disk")
    found: dict[bool, TopicName] = {}
    for number in range(MOST_TOPICS):
        topic = exchange.topic(f"topic-{number}")
        produce_quietly(exchange, topic, "acknowledged")
        folders = exchange.quietly(DescribeLogDirsRequest(topics=None)).results
        (place,) = [one.log_dir for one in folders if topic in [inside.name for inside in one.topics]]
        is_lost = place == str(disk.data_dir)
        if is_lost not in found:
            exchange.form.label(topic, "lost" if is_lost else "kept")
            found[is_lost] = topic
        if len(found) == len(folders):
            groups = tuple(exchange.name(f"group-{number}") for number in range(GROUPS))
            return Topics(found[True], found[False], groups)
    raise HostTrouble(f"of {MOST_TOPICS} topics none went to one of the folders")


def about(*topics: str) -> MetadataRequest:
    asked = tuple(MetadataRequestTopic(name=TopicName(topic)) for topic in topics)
    return MetadataRequest(topics=asked, allow_auto_topic_creation=False)


def code_of(produced: Any) -> int:
    return int(produced.responses[0].partition_responses[0].error_code)


def values(fetched: Any) -> list[str]:
    """The values of the records in a Fetch answer with one partition."""
    data = fetched.responses[0].partitions[0].records
    return [(record.value or b"").decode() for one in iter_batches(data) for record in one.records()]


def test_a_failed_folder_serves_nothing_until_a_restart(exchange: Exchange, topics: Topics) -> None:
    """Every request for a partition in a failed folder is answered with KAFKA_STORAGE_ERROR."""
    lost = topics.lost
    answers = [
        exchange.ask(f"a small record, acks {acks}", produce(lost, batch("late"), acks=acks), version)
        for acks, version in ((1, 9), (-1, 12))
    ]
    codes = [code_of(one) for one in answers]
    for words, name, version in (("by name", lost, 12), ("by id", exchange.topic_id(lost), 16)):
        read = exchange.ask(f"the records, {words}", fetch(name), version)
        codes.append(read.responses[0].partitions[0].error_code)
    for version in (1, 7):
        ends = exchange.ask("the end of the log", list_offsets(lost, -1), version)
        codes.append(ends.topics[0].partitions[0].error_code)
    partition = OffsetForLeaderPartition(partition=0, leader_epoch=0)
    epoch = OffsetForLeaderEpochRequest(topics=(OffsetForLeaderTopic(topic=lost, partitions=(partition,)),))
    codes.append(exchange.ask("the end of an epoch", epoch, 4).topics[0].partitions[0].error_code)
    codes.append(exchange.ask("a deletion", delete_records(lost, 1), 2).topics[0].partitions[0].error_code)
    asked = DescribeProducersRequest(topics=(ProducersOf(name=lost, partition_indexes=(0,)),))
    codes.append(exchange.ask("the producers", asked, 0).topics[0].partitions[0].error_code)

    assert dict.fromkeys(map(ErrorCode, codes)) == {ErrorCode.KAFKA_STORAGE_ERROR: None}


def test_a_failed_folder_is_said_to_be_one(exchange: Exchange, topics: Topics) -> None:
    """Metadata and DescribeTopicPartitions report that the partition has no leader and an offline replica;
    DescribeLogDirs reports KAFKA_STORAGE_ERROR for the folder."""
    asked = tuple(DescribableLogDirTopic(topic=name, partitions=(0,)) for name in (topics.lost, topics.kept))
    for version in (1, 4):
        folders = exchange.ask("the folders", DescribeLogDirsRequest(topics=asked), version).results
        assert sorted(one.error_code for one in folders) == [ErrorCode.NONE, ErrorCode.KAFKA_STORAGE_ERROR]
    (before_5,) = exchange.ask("the lost topic", about(topics.lost), 4).topics[0].partitions
    assert (before_5.error_code, before_5.leader_id) == (ErrorCode.LEADER_NOT_AVAILABLE, -1)
    for version in (5, 9, 12):
        lost, kept = (exchange.ask("a topic", about(one), version).topics[0] for one in (topics.lost, topics.kept))
        (gone,), (there,) = lost.partitions, kept.partitions
        assert (gone.error_code, gone.leader_id) == (ErrorCode.LEADER_NOT_AVAILABLE, -1)
        assert gone.offline_replicas == gone.replica_nodes
        assert (there.error_code, there.leader_id, there.offline_replicas) == (
            ErrorCode.NONE,
            there.replica_nodes[0],
            (),
        )
    both = DescribeTopicPartitionsRequest(
        topics=(TopicRequest(name=topics.lost), TopicRequest(name=topics.kept)),
    )
    told = {one.name: one.partitions[0] for one in exchange.ask("both topics", both, 0).topics}
    leaders = {name: (one.leader_id, one.offline_replicas) for name, one in told.items()}
    assert leaders == {
        topics.lost: (-1, told[topics.lost].replica_nodes),
        topics.kept: (told[topics.kept].replica_nodes[0], ()),
    }


def test_other_folders_go_on(exchange: Exchange, topics: Topics) -> None:
    """Partitions in another folder can be written and read, and new ones are created there."""
    answer = exchange.ask("the next record", produce(topics.kept, batch(TOO_MUCH)), 9)
    assert code_of(answer) == ErrorCode.NONE
    assert values(exchange.ask("both records", fetch(topics.kept), 12)) == ["acknowledged", TOO_MUCH]
    new = exchange.topic("new")
    assert code_of(exchange.ask("a record for a new topic", produce(new, batch(TOO_MUCH)), 9)) == ErrorCode.NONE


def test_groups_without_their_folder_have_no_coordinator_and_keep_their_offsets(
    exchange: Exchange, topics: Topics, cluster: Cluster
) -> None:
    """Groups whose offsets are in the failed folder have no coordinator, others are served as before; no offset is
    lost."""
    told = exchange.quietly(FindCoordinatorRequest(coordinator_keys=topics.groups), 4).coordinators
    without, served = ([one.key for one in told if bool(one.error_code) is lacks] for lacks in (True, False))
    assert without, f"each of {len(told)} groups has a coordinator, though the offsets of some are in the failed folder"
    assert served, f"none of {len(told)} groups has a coordinator, though the offsets of some are in the other folder"
    lost, kept = without[0], served[0]
    for group, label, code in (
        (lost, "a group without its folder", ErrorCode.NOT_COORDINATOR),
        (kept, "another group", ErrorCode.NONE),
    ):
        exchange.form.label(group, label)
        exchange.ask(f"the coordinator of {label}", FindCoordinatorRequest(coordinator_keys=(group,)), 4)
        done = exchange.ask(f"an offset of {label}", commit(group, topics.kept, 2), 7)
        read = exchange.ask(f"the offsets of {label}", offsets(8, group, {topics.kept: (0,)}), 8)
        joined = exchange.ask(f"a member of {label}", join(group), 3)
        found = (done.topics[0].partitions[0].error_code, read.groups[0].error_code, joined.error_code)
        assert found == (code, code, code)

    restore(cluster)
    exchange.connections.drop(exchange.bootstrap)
    coordinated(exchange)

    for group, offset in ((lost, 1), (kept, 2)):
        read = exchange.ask("the offset that was acknowledged last", offsets(8, group, {topics.kept: (0,)}), 8)
        assert read.groups[0].topics[0].partitions[0].committed_offset == offset


def test_what_was_acknowledged_is_there_again_after_a_restart(
    exchange: Exchange, topics: Topics, cluster: Cluster
) -> None:
    """When the disk has free space and the broker was restarted, both topics hold exactly what was acknowledged."""
    restore(cluster)

    for topic in (topics.lost, topics.kept):
        exchange.await_topic(topic)
        assert values(exchange.ask("the records", fetch(topic), 12)) == ["acknowledged"]
        answer = exchange.ask("the next one", produce(topic, batch(TOO_MUCH)), 9)
        assert answer.responses[0].partition_responses[0].base_offset == 1
