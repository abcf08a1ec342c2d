"""Apache Kafka 4.3.1 reads the metadata log and the folders that we write, and we read its own."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.hosts.plain import LocalProcess
from harness.targets.ports import free_ports
from harness.targets.readiness import wait_until_ready
from reference_broker import storage
from reference_broker.environment import Now
from reference_broker.node import Node, Observers
from reference_broker.raft.store import DIRECTORY
from reference_broker.server.clock import now
from reference_broker.server.disk import OsDisk
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.simulation.at_once import bring_to_life, carried_out, stop
from reference_broker.startup import start_node
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.no_op_record import NoOpRecord

CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg"
DUMP = "org.apache.kafka.tools.DumpLogSegments"
PROPERTIES = """
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
log.dirs={folder}/data
offsets.topic.replication.factor=1
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    client, controller = free_ports(2)
    path = tmp_path / "server.properties"
    path.write_text(PROPERTIES.format(client=client, controller=controller, folder=tmp_path))
    return path


@contextmanager
def kafka_on(kafka: Any, file: Path) -> Iterator[str]:
    """Kafka running on a folder that was formatted; the address of its broker."""
    config = BrokerConfig.load(file.read_text())
    log = file.parent / "server.log"
    process = LocalProcess(kafka.command("kafka.Kafka", file), folder=file.parent, log=log, environment={})
    process.start()
    try:
        port = config.listeners[0].port
        wait_until_ready(
            ("127.0.0.1", port),
            broker_id=1,
            name="kafka",
            timeout_s=120,
            is_alive=lambda: process.is_alive,
            log_text=lambda: log.read_text(errors="replace"),
        )
        yield f"127.0.0.1:{port}"
        process.stop(60)
    finally:
        process.kill()


@contextmanager
def alive(file: Path) -> Iterator[tuple[Node, Now]]:
    """A node on a folder that was formatted, and the time when it serves; it is stopped in order."""
    disk, config = OsDisk(), BrokerConfig.load(file.read_text())
    node = start_node(
        config=config,
        folders=storage.load_folders(disk, config),
        disk=disk,
        random=random.Random(1),
        now=now(),
        bound={one.listener: one.port for one in config.listeners},
        observers=Observers(),
    )
    at = bring_to_life(node, "PLAINTEXT", now())
    yield node, at
    stop(node, at)
    disk.close()


@pytest.fixture
def written(file: Path) -> Path:
    """A folder that we formatted, with a topic, a snapshot and something behind it."""
    arguments = ["format", "-t", CLUSTER_ID, "-c", str(file), "--standalone"]
    storage.run(arguments, disk=OsDisk(), random=random.Random(1), now_ms=now().wall_ms, say=print, complain=print)
    with alive(file) as (node, at):
        controller, publisher = node.parts.controller, node.parts.publisher
        assert controller is not None
        wanted = CreatableTopic(name="ours", num_partitions=2, replication_factor=1)
        request = CreateTopicsRequest(topics=(wanted,))
        controller.submit(lambda image: controller.topics(image).decide_creation(request), at)
        carried_out(node, node.take(at), at)
        image = publisher.image
        node.parts.quorum.write_snapshot(tuple(image.records()), image.offset, image.epoch, at)
        carried_out(node, node.take(at), at)
        controller.commit(((NoOpRecord(), 0),), at)
    return file


@pytest.fixture
def bootstrap(kafka: Any, written: Path) -> Iterator[str]:
    """The address of Kafka, started on that folder."""
    with kafka_on(kafka, written) as address:
        yield address


def test_kafkas_dump_reads_our_metadata_log_and_snapshots(kafka: Any, written: Path, tmp_path: Path) -> None:
    names = sorted((tmp_path / "data" / DIRECTORY).glob("*.log")) + sorted((tmp_path / "data").rglob("*.checkpoint"))
    told = [kafka.say(DUMP, "--cluster-metadata-decoder", "--files", name) for name in names]
    wrong = [text for text in told if "isvalid: true" not in text or "isvalid: false" in text]
    assert (len(names) >= 4, wrong) == (True, [])


def test_kafka_starts_on_a_folder_that_we_formatted_and_wrote(kafka: Any, bootstrap: str) -> None:
    topic = ("--describe", "--topic", "ours")
    told = kafka.say("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", bootstrap, *topic)
    assert "PartitionCount: 2" in told


def test_we_start_on_a_folder_that_kafka_formatted(kafka: Any, file: Path) -> None:
    kafka.say("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", file, "--standalone")
    with alive(file) as (node, _):
        image = node.parts.publisher.image
    assert image.features["metadata.version"] == 30


SHELL = "org.apache.kafka.shell.MetadataShell"
CONFIGS = "kafka.admin.ConfigCommand"
ACLS = "org.apache.kafka.tools.AclCommand"


def test_kafkas_shell_reads_our_snapshot(kafka: Any, written: Path) -> None:
    newest = max((written.parent / "data" / DIRECTORY).glob("*.checkpoint"))
    told = kafka.say(SHELL, "--snapshot", newest, "ls", "/image/topics/byName")
    assert told.splitlines()[-1].split() == ["ours"]


@pytest.mark.long
def test_quotas_credentials_and_acls_of_kafka_survive_in_our_snapshot(kafka: Any, file: Path) -> None:
    with file.open("a") as settings:
        settings.write("authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n")
        settings.write("super.users=User:ANONYMOUS\n")
    kafka.say("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", file, "--standalone")
    client = ("--entity-type", "clients", "--entity-name", "c")
    alice = ("--entity-type", "users", "--entity-name", "alice")

    def described(address: str) -> list[str]:
        """What Kafka's tools tell of them."""
        at = ("--bootstrap-server", address)
        return [
            kafka.say(CONFIGS, *at, "--describe", *client),
            kafka.say(CONFIGS, *at, "--describe", *alice),
            kafka.say(ACLS, *at, "--list"),
        ]

    with kafka_on(kafka, file) as address:
        at = ("--bootstrap-server", address)
        kafka.say(CONFIGS, *at, "--alter", *client, "--add-config", "producer_byte_rate=1000")
        kafka.say(CONFIGS, *at, "--alter", *alice, "--add-config", "SCRAM-SHA-256=[iterations=4096,password=secret]")
        kafka.say(ACLS, *at, "--add", "--allow-principal", "User:alice", "--operation", "READ", "--topic", "t")
        before = described(address)
    assert "producer_byte_rate=1000" in before[0]
    assert "SCRAM-SHA-256" in before[1]
    assert "User:alice" in before[2]

    with alive(file) as (node, at_ms):
        image = node.parts.publisher.image
        node.parts.quorum.write_snapshot(image.records(), image.offset, image.epoch, at_ms)
        carried_out(node, node.take(at_ms), at_ms)
    log = file.parent / "data" / DIRECTORY
    assert max(one.name for one in log.glob("*.checkpoint")).startswith(f"{image.offset + 1:020d}")

    with kafka_on(kafka, file) as address:
        assert described(address) == before
