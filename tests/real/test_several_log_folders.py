"""With several log folders, given by relative paths, we tell of them as Apache Kafka does, and note where logs are."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from harness.hosts.host import wait_until
from harness.targets.readiness import ask
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.describe_log_dirs_request import DescribeLogDirsRequest

DUMP = "org.apache.kafka.tools.DumpLogSegments"
BROKERS = ("reference", "kafka")
PARTITIONS = 4


@dataclass(frozen=True)
class Told:
    """What a broker told of its folders, relative to where it runs, and what it wrote of them into its metadata log."""

    folders: list[str]
    logs_in_each: list[int]
    new: list[list[str]]
    assigned: dict[int, str]


def written(kafka: Any, folder: Any) -> list[dict[str, Any]]:
    """The records of the metadata log, by Kafka's own tool."""
    (log,) = (folder.path / "data" / "__cluster_metadata-0").glob("*.log")
    lines = kafka.say(DUMP, "--cluster-metadata-decoder", "--files", log).splitlines()
    return [json.loads(line.partition("payload: ")[2]) for line in lines if "payload: " in line]


def told(who: str, kafka: Any, new_folder: Callable[..., Any]) -> Told:
    folder = new_folder(**{"log.dirs": "./data/,spare"})
    folder.format(who)
    folder.start(who)
    address = ("127.0.0.1", folder.port)
    admin = AdminClient({"bootstrap.servers": folder.bootstrap})
    admin.create_topics([NewTopic("orders", PARTITIONS, 1)])["orders"].result(20)

    def results() -> list[Any]:
        return list(ask(address, ApiKey.DESCRIBE_LOG_DIRS, 4, DescribeLogDirsRequest(topics=None)).results)

    def logs() -> list[int]:
        return [sum(len(topic.partitions) for topic in one.topics) for one in results()]

    def changes() -> list[dict[str, Any]]:
        return [one["data"] for one in written(kafka, folder) if one["type"] == "PARTITION_CHANGE_RECORD"]

    wait_until(lambda: sum(logs()) == PARTITIONS, 20, "the logs are not there", every_s=0.1)
    wait_until(
        lambda: len([one for one in changes() if "directories" in one]) == PARTITIONS, 60, "not assigned", every_s=0.5
    )
    found = Told(
        folders=[one.log_dir.removeprefix(str(folder.path)) for one in results()],
        logs_in_each=logs(),
        new=[one["data"]["directories"] for one in written(kafka, folder) if one["type"] == "PARTITION_RECORD"],
        assigned={one["partitionId"]: one["directories"][0] for one in changes() if "directories" in one},
    )
    folder.end("stop")
    return found


@pytest.fixture(scope="module")
def both(kafka: Any, new_folder: Callable[..., Any]) -> list[Told]:
    return [told(who, kafka, new_folder) for who in BROKERS]


def test_folders_are_told_by_their_whole_paths(both: list[Told]) -> None:
    assert [one.folders for one in both] == [["/./data", "/spare"]] * 2


def test_logs_are_spread_evenly(both: list[Told]) -> None:
    assert [one.logs_in_each for one in both] == [[2, 2]] * 2


def test_a_new_replica_is_assigned_to_no_folder_until_the_broker_has_chosen(both: list[Told]) -> None:
    ours, kafkas = both
    assert ours.new == kafkas.new == [["AAAAAAAAAAAAAAAAAAAAAQ"]] * PARTITIONS


def test_the_folder_of_each_replica_is_noted(both: list[Told]) -> None:
    assert [sorted(list(one.assigned.values()).count(id_) for id_ in set(one.assigned.values())) for one in both] == [
        [2, 2],
        [2, 2],
    ]
