"""A run that is killed with open clusters leaves processes, folders and containers; the next run removes them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from harness.hosts import namespaces
from harness.hosts.host import ProcessState, wait_until
from harness.hosts.identity import parse
from harness.hosts.namespaces import Network
from harness.hosts.plain import PlainHost
from harness.pytest_plugin.lacking import skip_for
from harness.targets import images, leftovers
from harness.targets.containers.labels import LABEL, sweep
from harness.targets.target import ClusterSpec, resolve

IMAGE = os.environ.get("KAFKA_IMAGE", "local/kafka:4.3.1")
GONE_TIMEOUT_S = 30.0
OWNER = """\
import sys, time
from harness.targets.target import ClusterSpec, resolve
cluster = resolve(sys.argv[1]).open(ClusterSpec(nodes=int(sys.argv[2])))
node = cluster.nodes[0]
print(getattr(node, "pid", None), getattr(cluster, "folder", None), getattr(cluster, "run", None), flush=True)
time.sleep(120)
"""


Said = tuple[str, str, str]
"""Of the cluster that a run has opened: process, folder, run."""


@contextlib.contextmanager
def killed_run(name: str, root: Path, nodes: int = 1) -> Iterator[Said]:
    """A process that opens a cluster and is killed at the end of the block.

    What it has is looked at within the block: once it is dead, any other run on this machine may be the next one.
    """
    target = resolve(name)
    if (lack := target.lack(ClusterSpec(nodes=nodes))) is not None:
        skip_for(lack)
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, name, str(nodes)], cwd=root, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        said = owner.stdout.readline().split()
        try:
            assert len(said) == 3, f"the run did not open {name}"
            yield said[0], said[1], said[2]
        finally:
            owner.send_signal(signal.SIGKILL)


def state_of(pid: int) -> ProcessState:
    return PlainHost().state_of(pid)


def test_the_process_and_the_folder_of_a_killed_run_are_removed(root: Path) -> None:
    with killed_run("kafka@4.3.1", root) as (pid, folder, _):
        before = state_of(int(pid))
    leftovers.sweep_folders()

    wait_until(lambda: not Path(folder).exists(), GONE_TIMEOUT_S, f"{folder} is still there")
    assert (before is ProcessState.GONE, state_of(int(pid))) == (False, ProcessState.GONE)


def test_the_nodes_and_the_network_of_a_killed_run_are_removed(root: Path) -> None:
    if (lack := namespaces.lack()) is not None:
        skip_for(lack)
    with killed_run("kafka@4.3.1", root, nodes=3) as (_, folder, _):
        network = Network.parse((Path(folder) / "network").read_text(encoding="utf-8"))
        pids = [parse(noted.read_text(encoding="utf-8")) for noted in Path(folder).glob("node-*.process")]
    leftovers.sweep_folders()

    wait_until(lambda: not Path(folder).exists(), GONE_TIMEOUT_S, f"{folder} is still there")
    states = [state_of(one.pid) for one in pids if one is not None]
    said = PlainHost().run(["ip", "netns"]).output + PlainHost().run(["ip", "link"]).output
    assert (states, network.name in said) == ([ProcessState.GONE] * 3, False)


def test_the_containers_and_the_network_of_a_killed_run_are_removed(root: Path) -> None:
    with killed_run(f"docker@{IMAGE}", root, nodes=3) as (_, _, run):
        client = images.connect()
        mine = {"label": f"{LABEL}={run}"}
        before = client.containers.list(all=True, filters=mine)
    sweep(client)

    def left() -> list[object]:
        return [*client.containers.list(all=True, filters=mine), *client.networks.list(filters=mine)]

    wait_until(lambda: not left(), GONE_TIMEOUT_S, "containers are still there", every_s=0.5)
    assert len(before) == 6
