"""`python -m harness log`: what it tells of a whole folder, of one in use, and of one that is damaged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.log_folder.command import main
from harness.log_folder.folder import NoLogFolder, read_folder
from reference_broker.log.config import LogConfig
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.recovery import open_log
from reference_broker.server.disk import OsDisk
from reference_broker.wire.compression import Compression
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.records import Record, encode_batch, parse_batch_header, with_header

NOW = 1_700_000_000_000
TOPIC_ID = Uuid(bytes(range(16)))


def opened(folder: Path, name: str = "orders") -> PartitionLog:
    return open_log(
        disk=OsDisk(),
        directory=str(folder / f"{name}-0"),
        topic=name,
        partition=0,
        topic_id=TOPIC_ID,
        config=LogConfig(segment_bytes=1000, index_interval_bytes=100),
        is_clean=True,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two partitions: one of several segments with a producer and a transaction, one that is empty."""
    (tmp_path / "meta.properties").write_text("#\nversion=1\nnode.id=4\ncluster.id=abc\n", encoding="utf-8")
    (tmp_path / ".kafka_cleanshutdown").write_text('{"version":0,"brokerEpoch":7}', encoding="utf-8")
    (tmp_path / "replication-offset-checkpoint").write_text("0\n1\norders 0 30\n", encoding="utf-8")
    log = opened(tmp_path)
    for turn in range(30):
        record = Record(0, NOW + turn, b"k", b"v" * 60)
        codec = Compression.GZIP if turn % 2 else Compression.NONE
        log.append_own(
            encode_batch([record], compression=codec, producer_id=9, producer_epoch=1, base_sequence=turn),
            turn // 20,
            NOW,
        )
    log.close(NOW)
    opened(tmp_path, "empty").close(NOW)
    return tmp_path


def told(folder: Path, *arguments: str) -> tuple[int, str]:
    lines: list[str] = []
    status = main([str(folder), *arguments], lines.append)
    return status, "\n".join(lines)


def test_a_whole_folder_is_told_in_a_table(folder: Path) -> None:
    status, text = told(folder)

    assert status == 0
    assert "node.id 4, cluster.id abc" in text
    assert "stopped in order (broker epoch 7)" in text
    (line,) = [line for line in text.splitlines() if line.startswith("orders-0")]
    assert line.split()[1:3] == ["0..29", "30"]
    assert "2023-11-14 22:13:20.029 UTC" in line
    assert "none from 0 on" in text
    assert text.endswith("0 places damaged")


def test_partitions_are_told_in_the_order_of_their_numbers(folder: Path) -> None:
    for name in ("orders-10", "orders-2", "empty-11"):
        (folder / name).mkdir()

    found = [partition.folder for partition in read_folder(folder, None).partitions]

    assert found == ["empty-0", "empty-11", "orders-0", "orders-2", "orders-10"]


def test_one_partition_is_told_in_detail(folder: Path) -> None:
    status, text = told(folder, "--partition", "orders-0")

    assert status == 0
    assert "high watermark 30" in text
    assert "leader epochs   0 from 0 · 1 from 20" in text
    assert "9 (epoch 1, last sequence 29, at 29)" in text
    assert "gzip" in text
    assert text == told(folder / "orders-0")[1], "the folder of a partition is the same"


def test_json_holds_the_same(folder: Path) -> None:
    status, text = told(folder, "--json")

    found = json.loads(text)
    assert status == 0
    orders = next(one for one in found["partitions"] if one["folder"] == "orders-0")
    assert sum(segment["records"] for segment in orders["segments"]) == 30
    assert found["damages"] == []


def flip(path: Path, at: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 0x40
    path.write_bytes(raw)


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


SECOND_INDEX = lambda folder: sorted(folder.glob("orders-0/*.index"))[1]  # noqa: E731
SECOND = lambda folder: sorted(folder.glob("orders-0/*.log"))[1]  # noqa: E731
DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a flipped bit in a record": (lambda folder: flip(SECOND(folder), 100), "does not match its checksum"),
    "a length that cannot be": (lambda folder: flip(SECOND(folder), 8), "are no whole batch (later segments follow)"),
    "a torn end": (lambda folder: cut(sorted(folder.glob("orders-0/*.log"))[-1], 100), "that a crash cut off"),
    "zeros behind the end": (
        lambda folder: (last := sorted(folder.glob("orders-0/*.log"))[-1]).write_bytes(last.read_bytes() + bytes(500)),  # type: ignore[func-returns-value]
        "500 bytes are zeros",
    ),
    "an index that points nowhere": (lambda folder: flip(SECOND_INDEX(folder), 7), "where no batch begins"),
    "an index cut within an entry": (lambda folder: cut(SECOND_INDEX(folder), 13), "no whole entry of 8"),
    "a checkpoint without its count": (
        lambda folder: (folder / "replication-offset-checkpoint").write_text("0\n", encoding="utf-8") and None,
        "not a checkpoint of version 0",
    ),
    "leader epochs of no number": (
        lambda folder: (
            (folder / "orders-0/leader-epoch-checkpoint").write_text("0\n1\nx 0\n", encoding="utf-8") and None
        ),
        "leader-epoch-checkpoint",
    ),
    "a snapshot that was changed": (
        lambda folder: flip(sorted(folder.glob("orders-0/*.snapshot"))[-1], 20),
        "does not match its checksum",
    ),
    "a mark that is no JSON": (
        lambda folder: (folder / ".kafka_cleanshutdown").write_text("{", encoding="utf-8") and None,
        "it has no broker epoch",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_is_told_with_its_place(folder: Path, damage: str) -> None:
    make, said = DAMAGES[damage]
    make(folder)

    status, text = told(folder)

    assert status == 1
    assert any(said in line for line in text.splitlines() if line.startswith("damaged"))


def test_records_are_looked_into_where_one_partition_is_asked_for(folder: Path) -> None:
    """A batch whose checksum fits, and which claims a record too many."""
    path = SECOND(folder)
    raw = path.read_bytes()
    batch = encode_batch([Record(0, NOW, b"k", b"v")], base_offset=int(path.stem))
    header = parse_batch_header(batch)._replace(records_count=2)
    path.write_bytes(with_header(header, batch[61:]) + raw)

    assert told(folder)[0] == 1, "the offsets go back"
    assert "record 1 is cut off" in told(folder, "--partition", "orders-0")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["/nowhere"], "/nowhere is no folder"),
        ([".", "--partition", "x"], "has no partition 'x'"),
        (["tests"], "is no log folder of Kafka"),
    ],
)
def test_wrong_input_is_told(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments, lambda line: None) == 2
    assert said in capsys.readouterr().err


def test_reading_changes_nothing(folder: Path) -> None:
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}
    read_folder(folder, None)
    assert before == {
        path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()
    }
    with pytest.raises(NoLogFolder):
        read_folder(folder, "orders-7")
