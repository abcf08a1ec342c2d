"""A quorum of three: folders that our tool formats node by node are Apache Kafka's to use, and we read its log."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from harness.hosts.plain import LocalProcess
from harness.targets.ports import free_ports
from reference_broker import storage
from reference_broker.raft.frames import CommittedBatch
from reference_broker.raft.settings import StoreSettings
from reference_broker.raft.snapshots import SnapshotId
from reference_broker.raft.store import DIRECTORY, MetadataStore
from reference_broker.server.clock import now
from reference_broker.server.disk import OsDisk
from reference_broker.wire.primitives import parse_uuid

pytestmark = pytest.mark.long

CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg"
DUMP = "org.apache.kafka.tools.DumpLogSegments"
DESCRIBE = "org.apache.kafka.tools.MetadataQuorumCommand"
NODES = (1, 2, 3)
DIRECTORY_IDS = {node: f"{chr(74 + node) * 20}Aw" for node in NODES}
PROPERTIES = """
process.roles=controller
node.id={node}
listeners=CONTROLLER://127.0.0.1:{port}
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers={servers}
log.dirs={folder}
"""
UP_WITHIN_S = 90


class Quorum:
    """Three controllers with our folders."""

    def __init__(self, folder: Path, kafka: Any) -> None:
        self._kafka, self._folder = kafka, folder
        self.ports = dict(zip(NODES, free_ports(3), strict=True))
        self.processes: list[LocalProcess] = []

    def data(self, node: int) -> Path:
        """A node's metadata log folder."""
        return self._folder / f"data{node}"

    def format(self) -> None:
        """Formats each node's folder by our tool."""
        servers = ",".join(f"127.0.0.1:{port}" for port in self.ports.values())
        voters = ",".join(f"{node}@127.0.0.1:{self.ports[node]}:{DIRECTORY_IDS[node]}" for node in NODES)
        for node in NODES:
            text = PROPERTIES.format(node=node, port=self.ports[node], servers=servers, folder=self.data(node))
            path = self._folder / f"{node}.properties"
            path.write_text(text, encoding="utf-8")
            words = ["format", "-t", CLUSTER_ID, "-c", str(path), "--initial-controllers", voters]
            tell: dict[str, Any] = {"say": print, "complain": print}
            assert storage.run(words, disk=OsDisk(), random=Random(node), now_ms=now().wall_ms, **tell) == 0

    def start(self) -> None:
        """Starts Kafka's controllers on them."""
        for node in NODES:
            command = self._kafka.command("kafka.Kafka", self._folder / f"{node}.properties")
            log = self._folder / f"{node}.log"
            process = LocalProcess(command, folder=self._folder, log=log, environment={})
            process.start()
            self.processes.append(process)

    def describe(self) -> str:
        """What Kafka's tool tells of the quorum, once it has a leader."""
        deadline = time.monotonic() + UP_WITHIN_S
        while True:
            found = self._kafka.run(
                DESCRIBE, "--bootstrap-controller", f"127.0.0.1:{self.ports[1]}", "describe", "--status"
            )
            told: str = found.stdout
            if re.search(r"LeaderId:\s+[123]\n", told):
                return told
            assert time.monotonic() < deadline, found.stdout + found.stderr

    def stop(self) -> None:
        """Stops them in order."""
        while self.processes:
            self.processes.pop().stop(60)


@pytest.fixture
def quorum(kafka: Any, tmp_path: Path) -> Iterator[Quorum]:
    """Formatted; stopped at the end."""
    made = Quorum(tmp_path, kafka)
    made.format()
    yield made
    made.stop()


def test_kafkas_dump_reads_the_voters_that_we_wrote(kafka: Any, quorum: Quorum) -> None:
    path = quorum.data(2) / DIRECTORY / SnapshotId(0, 0).file_name
    told = kafka.say(DUMP, "--cluster-metadata-decoder", "--files", path)
    assert [bool(re.search(f'"voterDirectoryId":"{one}"', told)) for one in DIRECTORY_IDS.values()] == [True] * 3


def test_kafka_elects_a_leader_on_our_folders_and_we_read_its_log(quorum: Quorum) -> None:
    quorum.start()
    told = quorum.describe()
    quorum.stop()

    assert [one in told for one in DIRECTORY_IDS.values()] == [True] * 3
    logs = [read_log(quorum.data(node)) for node in NODES]
    shortest = min(map(len, logs))
    assert shortest > 1
    assert [log[:shortest] for log in logs] == [logs[0][:shortest]] * 3


def read_log(data: Path) -> list[CommittedBatch]:
    """All batches of a folder that Kafka wrote, after a look at its voters and its vote."""
    store = MetadataStore.open(disk=OsDisk(), metadata_log_dir=str(data), settings=StoreSettings(), now_ms=1)
    assert [voter.key.directory_id for voter in store.voters.latest.voters] == [
        parse_uuid(text) for text in DIRECTORY_IDS.values()
    ]
    assert store.read_quorum_state().leader_epoch >= 1
    return list(store.batches(store.log_start_offset, store.end_offset))
