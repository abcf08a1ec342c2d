"""AlterReplicaLogDirs (key 34) moves a replica to another log folder of its broker, with all records.

**Claim** After the answer the replica appears in the other folder as a future replica, and once it has all, as the
replica itself: DescribeLogDirs names that folder alone. Every record stays readable at its offset, and records are
appended as before. A broker that is killed on the way goes on with the move when it is started again. A path that is
none of the broker's folders is refused with LOG_DIR_NOT_FOUND, a partition that does not exist with
UNKNOWN_TOPIC_OR_PARTITION, a cordoned folder with INVALID_REPLICA_ASSIGNMENT.
**Why it matters** Operators empty a disk this way before it is replaced; the move must not cost a record.
**Kafka says** KIP-113, KIP-858, KIP-1066; protocol guide, AlterReplicaLogDirs.
**Cannot see** Folders that fail during the move (durability/folders_fail_during_moves).
**Rejects** tests/plants/forgets_what_is_appended_during_a_move.py, tests/plants/moves_into_cordoned_folders.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from checks.protocol.folder_moves import (
    MOVED_WITHIN_S,
    SERVED_WITHIN_S,
    append,
    await_place,
    cordon,
    folders,
    limit_moves,
    move,
    places,
    read,
)
from checks.protocol.folder_moves import asked_to_move as asked
from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import produce_quietly, versions
from harness.hosts import cluster_time as time
from harness.judging.outcome import require
from harness.pytest_plugin.record import CheckRecord
from harness.targets.target import Cluster
from nemesis.restore import restore
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_log_dirs_request import DescribeLogDirsRequest

pytestmark = [
    pytest.mark.cluster(small_disk_mb=64),
    pytest.mark.feature("AlterReplicaLogDirs"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(113, 858, 1066),
    pytest.mark.document(
        "Protocol guide, AlterReplicaLogDirs",
        "https://kafka.apache.org/protocol.html#The_Messages_AlterReplicaLogDirs",
    ),
]
LOG_DIRS = DescribeLogDirsRequest(topics=())
FOLDER_TOLD_S = 1.5


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
def cordoned(exchange: Exchange, cluster: Cluster) -> Iterator[Callable[[str], None]]:
    """Cordons a folder of the broker, which it is no longer at the end."""
    node_id = cluster.nodes[0].id
    yield lambda path: cordon(exchange, node_id, path)
    cordon(exchange, node_id, None)


@versions(1, 2)
def test_a_cordoned_folder_takes_no_replica(exchange: Exchange, cordoned: Callable[[str], None], version: int) -> None:
    """INVALID_REPLICA_ASSIGNMENT, once the broker knows the setting; the replica stays where it is."""
    topic = exchange.topic()
    here, other = folders(exchange, topic)
    cordoned(other)
    for _ in exchange.patience(SERVED_WITHIN_S):
        (folder,) = (one for one in exchange.quietly(LOG_DIRS, 5).results if one.log_dir == other)
        if folder.is_cordoned:
            break
    refusal = asked(exchange, "a move to a cordoned folder", topic, other, version)
    require(refusal, "INVALID_REPLICA_ASSIGNMENT", "the answer to a move to a cordoned folder")
    require(places(exchange, topic), {here: False}, "where the replica is")


@pytest.fixture
def held(exchange: Exchange) -> Iterator[None]:
    """Moves are held back by a throttle, which is gone at the end."""
    limit_moves(exchange, 1)
    yield
    limit_moves(exchange, None)


@pytest.mark.claim("D1", "O1", "P10")
def test_a_move_survives_a_killed_broker(exchange: Exchange, cluster: Cluster, record: CheckRecord, held: None) -> None:
    """It is killed while the copy is not complete, goes on after the restart, and nothing is lost."""
    topic = exchange.topic()
    values = [f"{number} {'x' * 300_000}" for number in range(8)]
    for value in values:
        append(exchange, topic, value)
    here, other = folders(exchange, topic)
    # Once Kafka forgot a move when it was killed before its controller knew the replica's folder (KIP-858).
    time.sleep(FOLDER_TOLD_S)
    require(asked(exchange, "a move to the other folder", topic, other), "NONE", "the answer to the move")
    require(places(exchange, topic), {here: False, other: True}, "where it is while a throttle holds the move")
    record.faults += 1
    with record.step("kill"):
        cluster.nodes[0].kill()
    with record.step("restart"):
        restore(cluster)
        cluster.wait_healthy()
    require(read(exchange, topic), list(enumerate(values)), "the records after the restart")
    limit_moves(exchange, None)
    await_place(exchange, topic, other)
    append(exchange, topic, "last")
    require(read(exchange, topic), list(enumerate([*values, "last"])), "the records after the move")
