"""A local cluster is formatted, started, awaited and cleared away; what goes wrong is told with the log's end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.hosts.host import HostTrouble, ProcessState
from harness.hosts.plain import PlainHost
from harness.targets.local_cluster import LocalCluster
from harness.targets.readiness import answers, last_lines
from harness.targets.reference import ReferenceTarget
from harness.targets.target import ClusterSpec, TargetTrouble

FAKE_BROKER = '''\
"""Formats by making the folder; answers ApiVersions and Metadata and nothing else."""
import socket, struct, sys
from pathlib import Path
from reference_broker.wire.framing import decode_request, encode_response
from reference_broker.wire.messages.api_versions_response import ApiVersionsResponse
from reference_broker.wire.messages.metadata_response import MetadataResponse, MetadataResponseBroker

settings = dict(line.split("=", 1) for line in Path(sys.argv[-1]).read_text().splitlines())
data = Path(settings["log.dirs"])
if settings.get("fail") == sys.argv[1]:
    sys.exit(f"it was asked to fail at {sys.argv[1]}")
if sys.argv[1] == "storage":
    data.mkdir()
    sys.exit(0)
port = int(settings["listeners"].partition(",")[0].rpartition(":")[2])
with (data / "starts").open("a") as starts:
    print("started", file=starts)
server = socket.create_server(("127.0.0.1", port))
print("fake broker up", flush=True)
while True:
    connection = server.accept()[0]
    with connection, connection.makefile("rb") as stream:
        while size := stream.read(4):
            request = decode_request(stream.read(struct.unpack(">i", size)[0]))
            answer = ApiVersionsResponse()
            if request.api_key == 3:
                answer = MetadataResponse(brokers=(MetadataResponseBroker(node_id=1, host="127.0.0.1", port=port),))
            parts = encode_response(request.api_key, request.api_version, request.correlation_id, answer)
            connection.sendall(b"".join(parts))
'''


@pytest.fixture
def target(tmp_path: Path) -> ReferenceTarget:
    program = tmp_path / "fake_broker.py"
    program.write_text(FAKE_BROKER, encoding="utf-8")
    return ReferenceTarget("fake", entry=(sys.executable, str(program)))


@pytest.fixture
def cluster(target: ReferenceTarget) -> Iterator[LocalCluster]:
    opened = target.open(ClusterSpec())
    yield opened
    opened.close()


def test_an_open_cluster_answers_at_its_bootstrap_address(cluster: LocalCluster) -> None:
    host, _, port = cluster.bootstrap.partition(":")
    assert answers((host, int(port)))


def test_a_killed_node_comes_back_on_its_port_and_data(cluster: LocalCluster) -> None:
    (node,) = cluster.nodes
    node.kill()
    node.start()
    node.wait_ready()
    assert (node.data_dir / "starts").read_text() == "started\nstarted\n"


def test_a_paused_node_is_paused_and_does_not_answer(cluster: LocalCluster) -> None:
    (node,) = cluster.nodes
    node.pause()
    assert (node.is_paused(), answers(node.address, timeout_s=0.2)) == (True, False)


def test_close_leaves_neither_process_nor_folder(cluster: LocalCluster) -> None:
    pid = cluster.nodes[0].pid
    cluster.close()
    assert pid is not None
    assert (PlainHost().state_of(pid), cluster.folder.exists()) == (ProcessState.GONE, False)


def test_close_of_a_paused_node_leaves_no_process(cluster: LocalCluster) -> None:
    cluster.nodes[0].pause()
    cluster.close()
    assert not cluster.nodes[0].is_alive()


def test_the_log_stays_readable_after_close(cluster: LocalCluster) -> None:
    cluster.close()
    assert "fake broker up" in cluster.logs()["node-1.log"]


def test_a_second_close_does_nothing(cluster: LocalCluster) -> None:
    cluster.close()
    cluster.close()
    assert not cluster.nodes[0].is_alive()


def test_a_format_that_fails_is_told_with_what_it_said(target: ReferenceTarget) -> None:
    with pytest.raises(TargetTrouble, match=r"formatting ended with status 1[^$]*asked to fail at storage"):
        target.open(ClusterSpec(config={"fail": "storage"}))


def test_a_node_that_ends_at_its_start_is_told_with_the_end_of_its_log(target: ReferenceTarget) -> None:
    with pytest.raises(TargetTrouble, match=r"ended before it was ready[^$]*asked to fail at start"):
        target.open(ClusterSpec(config={"fail": "start"}))


def test_waiting_for_a_dead_node_ends_at_once_with_trouble(cluster: LocalCluster) -> None:
    (node,) = cluster.nodes
    node.kill()
    with pytest.raises(HostTrouble, match="ended before it was ready"):
        node.wait_ready(0.1)


def test_the_frames_of_a_java_stack_trace_are_left_out_of_a_reason() -> None:
    assert last_lines("Exception: why\n\tat a.B.c(D.java:1)\nend") == "    Exception: why\n    end"
