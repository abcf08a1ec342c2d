"""The metadata log on a disk: led, appended to, snapshotted, torn and read again; folders formatted for it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from reference_broker import storage
from reference_broker.configs import BrokerConfig
from reference_broker.raft.quorum import DIRECTORY, Quorum
from reference_broker.raft.snapshots import Snapshot, encode_snapshot, list_snapshots, read_snapshot
from reference_broker.server.disk import OsDisk
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


def opened(config: BrokerConfig) -> Quorum:
    folders = storage.load_folders(DISK, config)
    directory_id = folders.directory_ids[config.metadata_log_dir]
    return Quorum.open(
        disk=DISK, metadata_log_dir=config.metadata_log_dir, config=config, directory_id=directory_id, now_ms=10
    )


def loaded(quorum: Quorum) -> list[object]:
    return [record for batch in quorum.load() for record in batch.records]


def test_a_record_survives_its_frame() -> None:
    assert decode_frame(encode_frame(TOPIC)) == TOPIC


@pytest.mark.parametrize("frame", [b"", b"\x02\x02\x00", b"\x01\x7f\x00", encode_frame(TOPIC)[:-3]])
def test_a_frame_that_makes_no_sense_is_malformed(frame: bytes) -> None:
    with pytest.raises(MalformedRequest):
        decode_frame(frame)


def test_what_was_appended_is_read_after_a_restart(formatted: BrokerConfig) -> None:
    quorum = opened(formatted)
    list(quorum.load())
    quorum.lead(20)
    quorum.append((TOPIC, NOTHING), 21)
    quorum.close(22)
    assert loaded(opened(formatted)) == [TOPIC, NOTHING]


def test_each_start_leads_in_a_later_epoch(formatted: BrokerConfig) -> None:
    epochs = []
    for _ in range(3):
        quorum = opened(formatted)
        list(quorum.load())
        quorum.lead(20)
        epochs.append(quorum.leader_epoch)
        quorum.close(22)
    assert epochs == [1, 2, 3]


def test_a_torn_batch_counts_not_at_all(formatted: BrokerConfig) -> None:
    quorum = opened(formatted)
    list(quorum.load())
    quorum.lead(20)
    quorum.append((NOTHING,), 21)
    quorum.append((TOPIC, TOPIC), 22)
    path = Path(formatted.metadata_log_dir) / DIRECTORY / f"{0:020d}.log"
    path.write_bytes(path.read_bytes()[:-1])
    assert loaded(opened(formatted)) == [NOTHING]


def test_a_snapshot_stands_for_the_log_before_it(formatted: BrokerConfig) -> None:
    quorum = opened(formatted)
    list(quorum.load())
    quorum.lead(20)
    quorum.append((NOTHING, NOTHING), 21)
    quorum.write_snapshot((TOPIC,), 22)
    quorum.append((NOTHING,), 23)
    quorum.close(24)
    assert loaded(opened(formatted)) == [TOPIC, NOTHING]


def test_a_snapshot_without_its_footer_is_malformed(formatted: BrokerConfig, tmp_path: Path) -> None:
    content = encode_snapshot(Snapshot(records=(TOPIC,)), epoch=1, now_ms=2)
    (tmp_path / "s").write_bytes(content[:-75])
    with pytest.raises(MalformedRequest, match="no footer"):
        read_snapshot(DISK, str(tmp_path / "s"))


def test_a_standalone_format_makes_this_node_the_only_voter(formatted: BrokerConfig) -> None:
    quorum = opened(formatted)
    list(quorum.load())
    assert (quorum.voter_ids, quorum.kraft_version) == ((1,), 1)


def test_format_leaves_the_features_for_the_first_leader(formatted: BrokerConfig) -> None:
    names = [message.name for message, _ in opened(formatted).bootstrap_records()]
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


def test_the_newest_snapshot_stays_when_old_ones_go(formatted: BrokerConfig) -> None:
    quorum = opened(formatted)
    list(quorum.load())
    quorum.lead(20)
    for now_ms in range(21, 25):
        quorum.append((NOTHING,), now_ms)
        quorum.write_snapshot((TOPIC,), now_ms + (1 << 50))
    directory = f"{formatted.metadata_log_dir}/{DIRECTORY}"
    assert [one.end_offset for one in list_snapshots(DISK, directory)] == [quorum.high_watermark]
