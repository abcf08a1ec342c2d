"""The last act of a run: whatever its faults did, and however it ended, the cluster is as it was."""

from __future__ import annotations

from harness.targets.target import Cluster, Node
from nemesis.fault import Troubles, clear_disk, require_well
from nemesis.links import sweep


def restore(cluster: Cluster) -> str:
    """The last act of any run, whatever faults it had: no link cut, all nodes resumed, started and answering, no disk
    full. HostTrouble, after all was tried, with all that failed."""
    done: list[str] = []
    troubles = Troubles()
    if cluster.lack_for_fault("partition") is None:
        with troubles.collected():
            done += [f"removed the chain {place}" for place in sweep(cluster, with_own=True)]
    for node in cluster.nodes:
        with troubles.collected():
            done += _restored(node)
    for node in cluster.nodes:
        with troubles.collected():
            require_well(node)
    troubles.raise_any()
    return f"{', '.join(done) or 'nothing was left to heal'}; all nodes answer"


def _restored(node: Node) -> list[str]:
    """Does what a node needs to run again; what was done."""
    done = []
    if node.is_alive() and node.is_paused():
        node.resume()
        done.append(f"resumed node {node.id}")
    if clear_disk(node):
        done.append(f"made room for node {node.id}")
    if not node.is_alive():
        node.start()
        done.append(f"started node {node.id}")
    return done
