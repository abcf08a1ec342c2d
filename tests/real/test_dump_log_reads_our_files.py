"""Kafka's own kafka-dump-log reads the files of our log without complaint."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reference_broker.log.config import LogConfig
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.recovery import open_log
from reference_broker.server.disk import OsDisk
from reference_broker.wire.compression import Compression
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.records import Record, encode_batch

NOW = 1_700_000_000_000
COMPLAINTS = re.compile(
    r"mismatch|corrupt|exception|out of order|non-consecutive|isvalid: false|should be", re.IGNORECASE
)
FIRST_OF_A_LATER_SEGMENT = re.compile(r"^Non-consecutive offsets in .*\n +-1 is followed by \d+$", re.MULTILINE)
"""The tool expects offset 0 at the start of every file, of Kafka's own segments, too."""


@pytest.fixture
def dumped(kafka: Any) -> Callable[..., str]:
    """Runs the tool, which must not complain; what it prints."""

    def dump(*arguments: object) -> str:
        done = kafka.run("org.apache.kafka.tools.DumpLogSegments", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        complaints = COMPLAINTS.findall(FIRST_OF_A_LATER_SEGMENT.sub("", done.stdout + done.stderr))
        assert not complaints, done.stderr
        printed: str = done.stdout
        return printed

    return dump


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A partition's folder with several segments, every codec, an idempotent producer and an aborted transaction."""
    path = tmp_path_factory.mktemp("log") / "orders-0"
    log = open_log(
        disk=OsDisk(),
        directory=str(path),
        topic="orders",
        partition=0,
        topic_id=Uuid(bytes(range(16))),
        config=LogConfig(segment_bytes=30_000, index_interval_bytes=500),
        is_clean=False,
    )
    fill(log)
    log.close(NOW)
    return path


def fill(log: PartitionLog) -> None:
    for number in range(200):
        log.append_from_client(
            encode_batch(
                [Record(i, NOW + number * 10 + i, b"key", b"value" * 20, (("h", None),)) for i in range(4)],
                compression=Compression(number % 5),
                producer_id=7,
                producer_epoch=0,
                base_sequence=number * 4,
            ),
            number // 50,
            NOW + number * 10,
        )
    last = NOW + 3000
    options = {"producer_id": 8, "producer_epoch": 2, "is_transactional": True}
    log.append_from_client(encode_batch([Record(0, last, b"k", b"v")], base_sequence=0, **options), 4, last)
    aborted = Record(0, last, bytes((0, 0, 0, 0)), bytes(6))
    log.append_own(encode_batch([aborted], is_control=True, **options), 4, last)


def files_of(folder: Path, suffix: str) -> str:
    found = sorted(folder.glob(f"*{suffix}"))
    assert found, f"no {suffix} file was written"
    return ",".join(map(str, found))


def test_every_batch_and_record_is_read(dumped: Callable[..., str], folder: Path) -> None:
    printed = dumped("--print-data-log", "--deep-iteration", "--files", files_of(folder, ".log"))
    assert len(re.findall(r"offset: \d+ CreateTime: \d+ keySize: 3 .*sequence: \d+", printed)) == 800
    assert "isControl: true" in printed


@pytest.mark.parametrize("mode", ["--verify-index-only", "--index-sanity-check"])
@pytest.mark.parametrize("suffix", [".index", ".timeindex"])
def test_every_index_is_sound(dumped: Callable[..., str], folder: Path, suffix: str, mode: str) -> None:
    printed = dumped(mode, "--files", files_of(folder, suffix))
    assert "Dumping" in printed
    assert mode == "--verify-index-only" or "passed sanity check" in printed


def test_every_index_entry_is_where_the_log_has_it(dumped: Callable[..., str], folder: Path) -> None:
    printed = dumped("--files", files_of(folder, ".index"))
    assert len(re.findall(r"offset: \d+ position: \d+", printed)) > 20


def test_the_producers_snapshot_holds_the_last_sequence(dumped: Callable[..., str], folder: Path) -> None:
    printed = dumped("--files", sorted(folder.glob("*.snapshot"))[-1])
    assert "producerId: 7 producerEpoch: 0" in printed
    assert "lastSequence: 799" in printed


def test_the_transaction_index_names_the_aborted_transaction(dumped: Callable[..., str], folder: Path) -> None:
    printed = dumped("--files", files_of(folder, ".txnindex"))
    assert re.search(r"producerId: 8\b.*firstOffset: 800.*lastOffset: 801", printed)
