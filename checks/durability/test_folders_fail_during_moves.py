"""A log folder that fails while a replica moves into it, or out of it, costs no record.

**Claim** When the folder fails into which a replica moves, the replica stays where it is: it is served as before, and
DescribeLogDirs names the other folder alone. When the folder fails out of which it moves, its partition is answered
with KAFKA_STORAGE_ERROR: the copy, which is not complete, takes nobody's place. Once the disk works again and the
broker was restarted, every acknowledged record is there, and the move goes on to its end.
**Why it matters** Disks are emptied because they are about to fail. A copy that is taken for the whole would lose what
had not been copied yet; a partition that is given up for a copy that failed would be an outage for nothing.
**Kafka says** KIP-112, KIP-113, KIP-858.
**Cannot see** Both folders failing at once; a folder that fails between the end of the copy and its promotion.
**Rejects** tests/plants/takes_a_part_of_a_log_for_the_whole.py, tests/plants/loses_a_replica_with_its_copy.py
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

import pytest

from checks.protocol.folder_moves import append, await_place, folders, limit_moves, move, places, read
from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import batch, produce
from harness.hosts import cluster_time as time
from harness.hosts.host import HostTrouble
from harness.judging.outcome import require
from harness.pytest_plugin.record import CheckRecord
from harness.targets.target import Cluster
from nemesis.disk import FullDisk
from nemesis.restore import restore
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_log_dirs_request import DescribeLogDirsRequest
from reference_broker.wire.primitives import TopicName

pytestmark = [
    pytest.mark.cluster(small_disk_mb=32),
    pytest.mark.feature("AlterReplicaLogDirs"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(112, 113, 858),
]
VALUES: Final = tuple(f"{number} {'x' * 300_000}" for number in range(8))
"""More than the first part that is copied, whatever the limit."""
TOO_MUCH: Final = "x" * 20_000
"""More bytes than fit into the last page that a file already occupies."""
WATCHED_S: Final = 2.0
NOTICED_WITHIN_S: Final = 30.0


def small_folder(cluster: Cluster) -> str:
    """The log folder that can be made to fail."""
    disk = cluster.nodes[0].small_disk
    if disk is None:
        raise HostTrouble(f"the node at {cluster.bootstrap} has no small disk")
    return str(disk.data_dir)


def ask_to_move(exchange: Exchange, topic: str, folder: str) -> None:
    """Has the topic's replica move to a folder."""
    (result,) = exchange.ask("a move to another folder", move(topic, folder), 2).results
    require(ErrorCode(result.partitions[0].error_code).name, "NONE", "the answer to the move")


def begun(exchange: Exchange, cluster: Cluster, *, from_small: bool) -> tuple[TopicName, str, str]:
    """A topic with records that moves out of the folder that can fail, or into it, held by a limit; and both folders:
    where it is, and where it goes."""
    topic, small = exchange.topic(), small_folder(cluster)
    here, other = folders(exchange, topic)
    if (here == small) is not from_small:
        ask_to_move(exchange, topic, other)
        await_place(exchange, topic, other)
        here, other = other, here
    for value in VALUES:
        append(exchange, topic, value)
    limit_moves(exchange, 1)
    ask_to_move(exchange, topic, other)
    require(places(exchange, topic), {here: False, other: True}, "where it is while a throttle holds the move")
    return topic, here, other


@pytest.fixture
def full(exchange: Exchange, cluster: Cluster, record: CheckRecord, chance: Random) -> Iterator[FullDisk]:
    """The fault, to be injected by the check; healed at the end, with the limit removed."""
    fault = FullDisk()
    yield fault
    with record.step("heal"):
        restore(cluster)
        fault.verify_healed(cluster)
    exchange.connections.drop(exchange.bootstrap)
    limit_moves(exchange, None)


def fill(fault: FullDisk, cluster: Cluster, record: CheckRecord, chance: Random) -> None:
    record.faults += 1
    with record.step("disk"):
        fault.inject(cluster, fault.plan(cluster.view(topics=()), chance))


def failed(exchange: Exchange) -> list[str]:
    """The folders that are told to be offline."""
    return [one.log_dir for one in exchange.quietly(DescribeLogDirsRequest(topics=())).results if one.error_code]


def await_failure(exchange: Exchange, folder: str) -> None:
    """Waits until the broker has noticed that a folder does not work."""
    for _ in exchange.patience(NOTICED_WITHIN_S):
        if failed(exchange) == [folder]:
            return
    require(failed(exchange), [folder], "the folders that are offline")


def after_a_restart(exchange: Exchange, cluster: Cluster, topic: TopicName) -> list[tuple[int, str]]:
    """The records when the disk works again and the broker was restarted."""
    restore(cluster)
    exchange.connections.drop(exchange.bootstrap)
    exchange.await_topic(topic)
    return read(exchange, topic)


@pytest.mark.claim("D1", "D10", "O1")
def test_a_replica_stays_where_it_is_when_its_new_folder_fails(
    exchange: Exchange, cluster: Cluster, record: CheckRecord, chance: Random, full: FullDisk
) -> None:
    """It is served as before, and goes on with its move after a restart."""
    topic, here, other = begun(exchange, cluster, from_small=False)
    fill(full, cluster, record, chance)
    limit_moves(exchange, None)
    await_failure(exchange, other)
    append(exchange, topic, "meanwhile")
    acknowledged = list(enumerate([*VALUES, "meanwhile"]))
    require(read(exchange, topic), acknowledged, "the records while the new folder is offline")
    require(places(exchange, topic), {here: False}, "where it is while the new folder is offline")
    require(after_a_restart(exchange, cluster, topic), acknowledged, "the records after the restart")
    await_place(exchange, topic, other)
    append(exchange, topic, "last")
    require(read(exchange, topic), [*acknowledged, (len(acknowledged), "last")], "the records after the move")


@pytest.mark.claim("D1", "D10", "O1")
def test_a_part_of_a_log_does_not_take_its_place_when_its_folder_fails(
    exchange: Exchange, cluster: Cluster, record: CheckRecord, chance: Random, full: FullDisk
) -> None:
    """Nothing is served from a copy that is not complete; after a restart the move goes on."""
    topic, here, other = begun(exchange, cluster, from_small=True)
    fill(full, cluster, record, chance)
    refused = exchange.quietly(produce(topic, batch(TOO_MUCH)), 9).responses[0].partition_responses[0].error_code
    require(ErrorCode(refused).name, "KAFKA_STORAGE_ERROR", "the answer to a record that the full disk does not take")
    await_failure(exchange, here)
    limit_moves(exchange, None)
    time.sleep(WATCHED_S)
    refused = exchange.quietly(produce(topic, batch("late")), 9).responses[0].partition_responses[0].error_code
    require(ErrorCode(refused).name, "KAFKA_STORAGE_ERROR", "the answer to a record while its folder is offline")
    require(places(exchange, topic).get(other, True), True, "whether what is in the other folder is a copy only")
    acknowledged = list(enumerate(VALUES))
    require(after_a_restart(exchange, cluster, topic), acknowledged, "the records after the restart")
    await_place(exchange, topic, other)
    append(exchange, topic, "last")
    require(read(exchange, topic), [*acknowledged, (len(acknowledged), "last")], "the records after the move")
