"""A run that is killed with open clusters leaves processes, folders and containers; the next run removes them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.hosts import namespaces
from harness.hosts.host import ProcessState
from harness.hosts.identity import parse
from harness.hosts.namespaces import Network
from harness.hosts.plain import PlainHost
from harness.targets import images, leftovers
from harness.targets.containers.labels import LABEL, sweep
from harness.targets.target import ClusterSpec, resolve

IMAGE = os.environ.get("KAFKA_IMAGE", "local/kafka:4.3.1")
OWNER = """\
import sys, time
from harness.targets.target import ClusterSpec, resolve
cluster = resolve(sys.argv[1]).open(ClusterSpec(nodes=int(sys.argv[2])))
node = cluster.nodes[0]
print(getattr(node, "pid", None), getattr(cluster, "folder", None), getattr(cluster, "run", None), flush=True)
time.sleep(120)
"""


def killed_run(name: str, root: Path, nodes: int = 1) -> list[str]:
    """Opens a cluster in a process that is killed then; what it said of the cluster: process, folder, run."""
    target = resolve(name)
    if (reason := target.missing(ClusterSpec(nodes=nodes))) is not None:
        pytest.skip(reason)
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, name, str(nodes)], cwd=root, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        said = owner.stdout.readline().split()
        owner.send_signal(signal.SIGKILL)
    assert len(said) == 3, f"the run did not open {name}"
    return said


def test_the_process_and_the_folder_of_a_killed_run_are_removed(root: Path) -> None:
    pid, folder, _ = killed_run("kafka@4.3.1", root)
    ran_on = PlainHost().state_of(int(pid)) is ProcessState.RUNNING
    leftovers.sweep_folders()
    assert (ran_on, Path(folder).exists(), PlainHost().state_of(int(pid))) == (True, False, ProcessState.GONE)


def test_the_nodes_and_the_network_of_a_killed_run_are_removed(root: Path) -> None:
    if (reason := namespaces.missing_tools()) is not None:
        pytest.skip(reason)
    _, folder, _ = killed_run("kafka@4.3.1", root, nodes=3)
    network = Network.parse((Path(folder) / "network").read_text(encoding="utf-8"))
    pids = [parse(noted.read_text(encoding="utf-8")) for noted in Path(folder).glob("node-*.process")]
    leftovers.sweep_folders()

    states = [PlainHost().state_of(one.pid) for one in pids if one is not None]
    said = PlainHost().run(["ip", "netns"]).output + PlainHost().run(["ip", "link"]).output
    assert (states, network.name in said) == ([ProcessState.GONE] * 3, False)


def test_the_containers_and_the_network_of_a_killed_run_are_removed(root: Path) -> None:
    _, _, run = killed_run(f"docker@{IMAGE}", root, nodes=3)
    client = images.connect()
    mine = {"label": f"{LABEL}={run}"}
    before = client.containers.list(all=True, filters=mine)
    sweep(client)
    left = client.containers.list(all=True, filters=mine) + client.networks.list(filters=mine)
    assert (len(before), left) == (6, [])
