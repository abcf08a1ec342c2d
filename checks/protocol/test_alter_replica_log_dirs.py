"""AlterReplicaLogDirs (key 34) moves a replica to another log folder of its broker, with all records.

**Claim** After the answer the replica appears in the other folder as a future replica, and once it has all, as the
replica itself: DescribeLogDirs names that folder alone. Every record stays readable at its offset, and records are
appended as before. A broker that is killed on the way goes on with the move when it is started again. A path that is
none of the broker's folders is refused with LOG_DIR_NOT_FOUND, a partition that does not exist with
UNKNOWN_TOPIC_OR_PARTITION.
**Why it matters** Operators empty a disk this way before it is replaced; the move must not cost a record.
**Kafka says** KIP-113, KIP-858; protocol guide, AlterReplicaLogDirs.
**Cannot see** Folders that fail during the move.
**Rejects** tests/plants/forgets_what_is_appended_during_a_move.py
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import batch, fetch, produce, produce_quietly, versions
from harness.judging.outcome import require
from harness.pytest_plugin.record import CheckRecord
from harness.targets.target import Cluster
from nemesis.restore import restore
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_replica_log_dirs_request import (
    AlterReplicaLogDir,
    AlterReplicaLogDirsRequest,
    AlterReplicaLogDirTopic,
)
from reference_broker.wire.messages.describe_log_dirs_request import DescribableLogDirTopic, DescribeLogDirsRequest
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.records import iter_batches

pytestmark = [
    pytest.mark.cluster(small_disk_mb=64),
    pytest.mark.feature("AlterReplicaLogDirs"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(113, 858),
    pytest.mark.document(
        "Protocol guide, AlterReplicaLogDirs",
        "https://kafka.apache.org/protocol.html#The_Messages_AlterReplicaLogDirs",
    ),
]
MOVED_WITHIN_S: Final = 60.0
BROKER: Final = 4
SET, DELETE = 0, 1
RATE: Final = "replica.alter.log.dirs.io.max.bytes.per.second"


def places(exchange: Exchange, topic: str) -> dict[str, bool]:
    """Folder → whether the topic's partition 0 is there as a future replica only; the folders without it are left
    out."""
    asked = DescribeLogDirsRequest(topics=(DescribableLogDirTopic(topic=TopicName(topic), partitions=(0,)),))
    return {
        folder.log_dir: one.is_future_key
        for folder in exchange.quietly(asked).results
        for named in folder.topics
        for one in named.partitions
    }


def folders(exchange: Exchange, topic: str) -> tuple[str, str]:
    """The folder in which the topic is, and the other one."""
    (here,) = places(exchange, topic)
    (other,) = (
        one.log_dir for one in exchange.quietly(DescribeLogDirsRequest(topics=())).results if one.log_dir != here
    )
    return here, other


def move(topic: str, path: str) -> AlterReplicaLogDirsRequest:
    """A request to have the topic's partition 0 in a folder."""
    named = AlterReplicaLogDirTopic(name=TopicName(topic), partitions=(0,))
    return AlterReplicaLogDirsRequest(dirs=(AlterReplicaLogDir(path=path, topics=(named,)),))


def asked(exchange: Exchange, words: str, topic: str, path: str, version: int = 2) -> str:
    """The name of the error that a request to move is answered with."""
    (result,) = exchange.ask(words, move(topic, path), version).results
    return ErrorCode(result.partitions[0].error_code).name


def await_place(exchange: Exchange, topic: str, path: str) -> None:
    """Waits until the topic is in a folder, and in no other."""
    found: dict[str, bool] = {}
    for _ in exchange.patience(MOVED_WITHIN_S):
        found = places(exchange, topic)
        if found == {path: False}:
            return
    require(found, {path: False}, f"where {topic} is after {MOVED_WITHIN_S:g} s")


def read(exchange: Exchange, topic: str) -> list[tuple[int, str]]:
    """(offset, value) of all records."""
    found: list[tuple[int, str]] = []
    while True:
        data = exchange.quietly(fetch(topic, len(found)), 12).responses[0].partitions[0]
        batches = list(iter_batches(data.records if data.records is not None else b""))
        if not batches:
            return found
        for one in batches:
            found += [
                (one.header.base_offset + at, (record.value or b"").decode()) for at, record in enumerate(one.records())
            ]


def append(exchange: Exchange, topic: str, value: str) -> None:
    """Appends a record."""
    answer = exchange.quietly(produce(topic, batch(value)), 9)
    code = answer.responses[0].partition_responses[0].error_code
    require(ErrorCode(code).name, "NONE", f"the answer to the record {value}")


@versions(1, 2)
@pytest.mark.claim("D1", "O1")
def test_a_replica_moves_with_all_its_records(exchange: Exchange, version: int) -> None:
    """It is in the other folder afterwards, with what was there before and what came meanwhile."""
    topic = exchange.topic()
    produce_quietly(exchange, topic, "a", "b")
    _, other = folders(exchange, topic)
    values = ["a", "b"]
    require(asked(exchange, "a move to the other folder", topic, other, version), "NONE", "the answer to the move")
    for _ in exchange.patience(MOVED_WITHIN_S):
        values.append(f"value {len(values)}")
        append(exchange, topic, values[-1])
        if places(exchange, topic) == {other: False}:
            break
    await_place(exchange, topic, other)
    append(exchange, topic, "last")
    require(read(exchange, topic), list(enumerate([*values, "last"])), "the records after the move")


@versions(1, 2)
def test_what_cannot_move_is_refused(exchange: Exchange, version: int) -> None:
    """LOG_DIR_NOT_FOUND for an unknown path, UNKNOWN_TOPIC_OR_PARTITION; a move to where it is changes nothing."""
    topic, nowhere = exchange.topic(), exchange.name("nowhere")
    here, other = folders(exchange, topic)
    refusal = asked(exchange, "a move to no folder of the broker", topic, "/no/such/folder", version)
    require(refusal, "LOG_DIR_NOT_FOUND", "the answer to an unknown path")
    refusal = asked(exchange, "a move of a topic that is not there", nowhere, other, version)
    require(refusal, "UNKNOWN_TOPIC_OR_PARTITION", "the answer for a topic that does not exist")
    (result,) = exchange.quietly(move(topic, here), version).results
    require(ErrorCode(result.partitions[0].error_code).name, "NONE", "the answer to a move to where it is")
    require(places(exchange, topic), {here: False}, "where it is after a move to where it is")


def test_a_name_too_long_for_the_copys_folder_is_refused(exchange: Exchange) -> None:
    """INVALID_TOPIC_EXCEPTION: the folder of a copy is named after the topic and an id, and cannot have such a name."""
    topic = exchange.topic("n" * 220)
    _, other = folders(exchange, topic)
    refusal = asked(exchange, "a move of a topic with a long name", topic, other)
    require(refusal, "INVALID_TOPIC_EXCEPTION", "the answer for a long name")


@pytest.fixture
def held(exchange: Exchange) -> Iterator[None]:
    """Moves are held back by a throttle, which is gone at the end."""
    limited(exchange, SET)
    yield
    limited(exchange, DELETE)


def limited(exchange: Exchange, operation: int) -> None:
    """Sets or removes the limit of all brokers."""
    config = AlterableConfig(name=RATE, config_operation=operation, value="1" if operation == SET else None)
    resource = AlterConfigsResource(resource_type=BROKER, resource_name="", configs=(config,))
    (answer,) = exchange.quietly(IncrementalAlterConfigsRequest(resources=(resource,))).responses
    require(ErrorCode(answer.error_code).name, "NONE", "the answer to a change of the limit")


@pytest.mark.claim("D1", "O1", "P10")
def test_a_move_survives_a_killed_broker(exchange: Exchange, cluster: Cluster, record: CheckRecord, held: None) -> None:
    """It is killed while the copy is not complete, goes on after the restart, and nothing is lost."""
    topic = exchange.topic()
    values = [f"{number} {'x' * 300_000}" for number in range(8)]
    for value in values:
        append(exchange, topic, value)
    here, other = folders(exchange, topic)
    require(asked(exchange, "a move to the other folder", topic, other), "NONE", "the answer to the move")
    require(places(exchange, topic), {here: False, other: True}, "where it is while a throttle holds the move")
    record.faults += 1
    with record.step("kill"):
        cluster.nodes[0].kill()
    with record.step("restart"):
        restore(cluster)
        cluster.wait_healthy()
    require(read(exchange, topic), list(enumerate(values)), "the records after the restart")
    limited(exchange, DELETE)
    await_place(exchange, topic, other)
    append(exchange, topic, "last")
    require(read(exchange, topic), list(enumerate([*values, "last"])), "the records after the move")
