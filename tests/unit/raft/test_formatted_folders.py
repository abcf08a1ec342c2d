"""Folders formatted for the metadata log, and the frames of its records."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from reference_broker import storage
from reference_broker.environment import Now
from reference_broker.raft.opening import open_store
from reference_broker.raft.snapshots import Snapshot, encode_snapshot, read_snapshot
from reference_broker.server.disk import OsDisk
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.messages.no_op_record import NoOpRecord
from reference_broker.wire.messages.topic_record import TopicRecord
from reference_broker.wire.metadata_records import decode_frame, encode_frame
from reference_broker.wire.primitives import MalformedRequest, Uuid

DISK = OsDisk()
PROPERTIES = """
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:9093
log.dirs={folder}/data
"""
TOPIC = (TopicRecord(name="t", topic_id=Uuid(b"i" * 16)), 0)
NOTHING = (NoOpRecord(), 0)


@pytest.fixture
def config(tmp_path: Path) -> BrokerConfig:
    text = PROPERTIES.format(folder=tmp_path)
    (tmp_path / "server.properties").write_text(text)
    return BrokerConfig.load(text)


def storage_tool(tmp_path: Path, *arguments: str) -> tuple[int, list[str]]:
    lines: list[str] = []
    file = ("-c", str(tmp_path / "server.properties"))
    code = storage.run(
        [*arguments, *file], disk=DISK, random=random.Random(1), now_ms=5, say=lines.append, complain=lines.append
    )
    return code, lines


@pytest.fixture
def formatted(tmp_path: Path, config: BrokerConfig) -> BrokerConfig:
    storage_tool(tmp_path, "format", "-t", "cluster", "--standalone")
    return config


def test_a_record_survives_its_frame() -> None:
    assert decode_frame(encode_frame(TOPIC)) == TOPIC


@pytest.mark.parametrize("frame", [b"", b"\x02\x02\x00", b"\x01\x7f\x00", encode_frame(TOPIC)[:-3]])
def test_a_frame_that_makes_no_sense_is_malformed(frame: bytes) -> None:
    with pytest.raises(MalformedRequest):
        decode_frame(frame)


def test_a_snapshot_without_its_footer_is_malformed(formatted: BrokerConfig, tmp_path: Path) -> None:
    content = encode_snapshot(Snapshot(records=(TOPIC,)), epoch=1, now_ms=2)
    (tmp_path / "s").write_bytes(content[:-75])
    with pytest.raises(MalformedRequest, match="no footer"):
        read_snapshot(DISK, str(tmp_path / "s"))


def test_a_standalone_format_makes_this_node_the_only_voter(formatted: BrokerConfig) -> None:
    voters = open_store(formatted, DISK, Now(10, 10)).voters
    assert (tuple(voters.latest.ids), voters.kraft_version) == ((1,), 1)


def test_format_leaves_the_features_for_the_first_leader(formatted: BrokerConfig) -> None:
    names = [message.name for message, _ in open_store(formatted, DISK, Now(10, 10)).bootstrap_records()]
    assert names[0] == "metadata.version"


def test_a_formatted_folder_is_not_formatted_again(formatted: BrokerConfig, tmp_path: Path) -> None:
    code, lines = storage_tool(tmp_path, "format", "-t", "cluster", "--standalone")
    assert (code, "is already formatted" in lines[-1]) == (1, True)


def test_a_formatted_folder_may_be_passed_over(formatted: BrokerConfig, tmp_path: Path) -> None:
    code, lines = storage_tool(tmp_path, "format", "-t", "cluster", "--standalone", "--ignore-formatted")
    assert (code, lines) == (0, ["All of the log directories are already formatted."])


def test_a_controller_needs_to_be_told_of_its_quorum(config: BrokerConfig, tmp_path: Path) -> None:
    code, lines = storage_tool(tmp_path, "format", "-t", "cluster")
    assert (code, "you must specify one of the following" in lines[-1]) == (1, True)


def test_another_cluster_id_is_refused(formatted: BrokerConfig, tmp_path: Path) -> None:
    code, lines = storage_tool(tmp_path, "format", "-t", "other", "--standalone", "--ignore-formatted")
    assert (code, "Expected other, but read cluster" in lines[-1]) == (1, True)


def test_info_tells_what_is_not_formatted(config: BrokerConfig, tmp_path: Path) -> None:
    code, lines = storage_tool(tmp_path, "info")
    assert (code, lines[1]) == (1, f"  {tmp_path}/data does not exist")


def test_a_folder_of_another_node_is_not_started_on(formatted: BrokerConfig) -> None:
    other = BrokerConfig.of(dict(formatted.originals) | {"node.id": "2", "broker.id": "2"})
    with pytest.raises(storage.StorageProblem, match=r"Invalid node\.id"):
        storage.load_folders(DISK, other)
