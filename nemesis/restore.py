"""The last step of a run: brings the cluster back to normal, whatever its faults did and however the run ended."""

from __future__ import annotations

from harness.targets.target import Cluster, Node
from nemesis.fault import Troubles, clear_disk, mend_disk, require_well
from nemesis.filters import clear_filters
from nemesis.links import sweep


def restore(cluster: Cluster) -> str:
    """Undoes whatever faults have left: links are opened, nodes resumed and started, disks freed; waits until all nodes
    answer. HostTrouble that lists all failures, after everything was tried."""
    done: list[str] = []
    troubles = Troubles()
    if cluster.lack_for_fault("partition") is None:
        with troubles.collected():
            done += [f"removed the chain {place}" for place in sweep(cluster, with_own=True)]
            done += [f"removed the rules of {place}" for place in clear_filters(cluster)]
    for node in cluster.nodes:
        with troubles.collected():
            done += _restored(node)
    for node in cluster.nodes:
        with troubles.collected():
            require_well(node)
    troubles.raise_any()
    return f"{', '.join(done) or 'nothing left to heal'}; all nodes answer"


def _restored(node: Node) -> list[str]:
    """Does what a node needs to run again. Returns what was done."""
    done = []
    if node.is_alive() and node.is_paused():
        node.resume()
        done.append(f"resumed node {node.id}")
    if clear_disk(node):
        done.append(f"mended the disk of node {node.id}")
    if mend_disk(node):
        done.append(f"mended the faulty disk of node {node.id}")
    if not node.is_alive():
        node.start()
        done.append(f"started node {node.id}")
    return done
