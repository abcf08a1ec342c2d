"""Folders of a quorum of several, formatted node by node, and what is refused."""

from __future__ import annotations

import random

import pytest

from reference_broker import storage
from reference_broker.raft.settings import StoreSettings
from reference_broker.raft.snapshots import SnapshotId
from reference_broker.raft.store import DIRECTORY, MetadataStore
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.simulation.disk import SimulatedDisk
from reference_broker.wire.primitives import parse_uuid

CONTROLLER = """
process.roles=controller
node.id={node}
listeners=CONTROLLER://127.0.0.1:9093
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:9093
log.dirs=/data
"""
BROKER = """
process.roles=broker
node.id={node}
listeners=PLAINTEXT://127.0.0.1:9092
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:9093
log.dirs=/data
"""
DIRECTORY_IDS = {node: f"{chr(74 + node) * 20}Aw" for node in (1, 2, 3)}
VOTERS = ",".join(f"{node}@host{node}:9093:{directory_id}" for node, directory_id in DIRECTORY_IDS.items())
SNAPSHOT = f"/data/{DIRECTORY}/{SnapshotId(0, 0).file_name}"


def formatted(*arguments: str, node: int = 1, properties: str = CONTROLLER) -> tuple[SimulatedDisk, list[str], int]:
    disk, lines = SimulatedDisk(), list[str]()
    disk.write_atomically("/server.properties", properties.format(node=node).encode())
    words = ["format", "-t", "cluster", "-c", "/server.properties", *arguments]
    code = storage.run(words, disk=disk, random=random.Random(1), now_ms=5, say=lines.append, complain=lines.append)
    return disk, lines, code


def opened(disk: SimulatedDisk) -> MetadataStore:
    return MetadataStore.open(disk=disk, metadata_log_dir="/data", settings=StoreSettings(), now_ms=9)


def test_each_node_begins_with_the_same_voters() -> None:
    stores = [opened(formatted("-I", VOTERS, node=node)[0]) for node in (1, 2, 3)]
    assert [store.voters.latest.ids for store in stores] == [(1, 2, 3)] * 3


def test_the_voters_stand_before_the_first_record() -> None:
    store = opened(formatted("-I", VOTERS)[0])
    assert (store.voters.latest_offset, store.voters.kraft_version, store.end_offset) == (-1, 1, 0)


def test_a_voters_folder_gets_the_id_it_votes_with() -> None:
    disk, _, _ = formatted("-I", VOTERS, node=2)
    meta = storage.read_meta(disk, "/data")
    assert meta is not None
    assert meta.directory_id == parse_uuid(DIRECTORY_IDS[2])


def test_a_controller_outside_of_the_voters_may_join_later() -> None:
    _, lines, code = formatted("-I", VOTERS, node=7)
    assert (code, lines[-1].startswith("Formatting dynamic metadata directory /data")) == (0, True)


def test_a_broker_may_be_told_of_the_voters() -> None:
    disk, _, code = formatted("-I", VOTERS, node=7, properties=BROKER)
    assert (code, opened(disk).voters.latest.ids) == (0, (1, 2, 3))


def test_a_node_that_joins_has_no_voters_yet() -> None:
    disk, _, code = formatted("--no-initial-controllers", node=7)
    assert (code, disk.exists(SNAPSHOT), len(opened(disk).voters.latest)) == (0, False, 0)


@pytest.mark.parametrize(
    ("voters", "reason"),
    [
        ("", "No voters given."),
        ("1", "No @ found in dynamic voter string."),
        ("@h:1:A", "Invalid @ at beginning of dynamic voter string."),
        ("x@h:1:A", "Failed to parse node id in dynamic voter string."),
        ("1@", "No hostname found after node id."),
        ("1@h", "No colon following hostname could be found."),
        ("1@[::1", "Hostname began with left bracket, but no right bracket was found."),
        ("1@[::1]x", "Port section must start with a colon."),
        ("1@h:1", "No colon following port could be found."),
        ("1@h:x:A", "Failed to parse port in dynamic voter string."),
        ("1@h:65536:A", "Invalid port 65536 in dynamic voter string."),
        ("1@h:1:A", "Failed to parse directory ID in dynamic voter string."),
        (f"{VOTERS},1@h:1:{'Z' * 20}Aw", "Node id 1 was specified more than once."),
    ],
)
def test_voters_that_make_no_sense_are_refused_before_anything_is_written(voters: str, reason: str) -> None:
    disk, lines, code = formatted("-I", voters)
    assert (code, lines, disk.exists("/data")) == (1, [reason], False)


def test_a_broker_stands_not_alone() -> None:
    _, lines, code = formatted("--standalone", properties=BROKER)
    assert (code, lines) == (1, ["You can only use --standalone on a controller."])


def test_a_dynamic_quorum_has_no_kraft_version_of_zero() -> None:
    _, lines, code = formatted("--standalone", "--feature", "kraft.version=0")
    assert (code, lines[0].startswith("Cannot set kraft.version to 0 if")) == (1, True)


def test_a_folder_with_a_reserved_id_is_not_started_on() -> None:
    reserved = f"{'A' * 20}Aw"
    disk, _, _ = formatted("-I", VOTERS.replace(DIRECTORY_IDS[1], reserved))
    config = BrokerConfig.load(CONTROLLER.format(node=1))
    with pytest.raises(storage.StorageProblem, match=f"Invalid reserved directory ID {reserved} found in /data"):
        storage.load_folders(disk, config)
