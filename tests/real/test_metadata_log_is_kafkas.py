"""Apache Kafka 4.3.1 reads the metadata log and the folders that we write, and we read its own.

Needs Java and Kafka's jars: the folder in `KAFKA_LIBS`, or the cache that `python -m harness kafka 4.3.1` fills.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reference_broker import storage
from reference_broker.configs import BrokerConfig
from reference_broker.controller.controller import Controller
from reference_broker.raft.quorum import DIRECTORY, Quorum
from reference_broker.server.disk import OsDisk
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.no_op_record import NoOpRecord

CACHE = Path(os.environ.get("KAFKA_VERIFICATION_CACHE", "~/.cache/kafka-verification")).expanduser()
LIBS = Path(os.environ.get("KAFKA_LIBS", CACHE / "kafka" / "4.3.1" / "libs"))
JAVA = shutil.which("java")

pytestmark = [
    pytest.mark.skipif(JAVA is None, reason="there is no java on the path"),
    pytest.mark.skipif(not LIBS.is_dir(), reason="Kafka's jars are not there: python -m harness kafka 4.3.1"),
]
PROPERTIES = """
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
log.dirs={folder}/data
offsets.topic.replication.factor=1
"""


def java(*arguments: str, heap: str = "256m") -> list[str]:
    return [str(JAVA), f"-Xmx{heap}", "-XX:TieredStopAtLevel=1", "-cp", f"{LIBS}/*", *arguments]


def run(*arguments: str) -> str:
    done = subprocess.run(java(*arguments), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture
def file(tmp_path: Path) -> Path:
    client, controller = free_ports(2)
    path = tmp_path / "server.properties"
    path.write_text(PROPERTIES.format(client=client, controller=controller, folder=tmp_path))
    return path


def now_ms() -> int:
    return int(time.time() * 1000)


def open_controller(file: Path) -> Controller:
    disk, config = OsDisk(), BrokerConfig.load(file.read_text())
    folders = storage.load_folders(disk, config)
    directory_id = folders.directory_ids[config.metadata_log_dir]
    quorum = Quorum.open(
        disk=disk,
        metadata_log_dir=config.metadata_log_dir,
        config=config,
        directory_id=directory_id,
        now_ms=now_ms(),
    )
    controller = Controller.open(
        log=quorum, cluster_id=folders.cluster_id, config=config, now_ms=now_ms(), random=random.Random(1)
    )
    controller.start_broker(log_dirs=(directory_id,), previous_broker_epoch=-1, bound=None, now_ms=now_ms())
    return controller


@pytest.fixture
def written(file: Path) -> Path:
    """A folder that we formatted, with a topic, a snapshot and something behind it."""
    cluster_id = "MkU3OEVBNTcwNTJENDM2Qg"
    arguments = ["format", "-t", cluster_id, "-c", str(file), "--standalone"]
    storage.run(arguments, disk=OsDisk(), random=random.Random(1), now_ms=now_ms(), say=print, complain=print)
    controller = open_controller(file)
    wanted = CreatableTopic(name="ours", num_partitions=2, replication_factor=1)
    request = CreateTopicsRequest(topics=(wanted,))
    controller.submit(lambda: controller.topics.decide_creation(request), now_ms())
    controller.log.write_snapshot(tuple(controller.image.records()), now_ms())
    controller.commit(((NoOpRecord(), 0),), now_ms())
    controller.close(now_ms())
    return file


@pytest.fixture
def kafka(written: Path, tmp_path: Path) -> Iterator[str]:
    """Kafka started on that folder; its bootstrap address."""
    config = BrokerConfig.load(written.read_text())
    with (tmp_path / "server.log").open("w") as log:
        process = subprocess.Popen(java("kafka.Kafka", str(written), heap="512m"), stdout=log, stderr=log)
        try:
            yield f"127.0.0.1:{config.listeners[0].port}"
        finally:
            process.terminate()
            process.wait(60)


def test_kafkas_dump_reads_our_metadata_log_and_snapshots(written: Path, tmp_path: Path) -> None:
    names = sorted((tmp_path / "data" / DIRECTORY).glob("*.log")) + sorted((tmp_path / "data").rglob("*.checkpoint"))
    told = [
        run("org.apache.kafka.tools.DumpLogSegments", "--cluster-metadata-decoder", "--files", str(name))
        for name in names
    ]
    wrong = [text for text in told if "isvalid: true" not in text or "isvalid: false" in text]
    assert (len(names) >= 4, wrong) == (True, [])


def test_kafka_starts_on_a_folder_that_we_formatted_and_wrote(kafka: str) -> None:
    told = run("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", kafka, "--describe", "--topic", "ours")
    assert "PartitionCount: 2" in told


def test_we_start_on_a_folder_that_kafka_formatted(file: Path) -> None:
    run("kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", str(file), "--standalone")
    controller = open_controller(file)
    assert controller.image.features["metadata.version"] == 30
