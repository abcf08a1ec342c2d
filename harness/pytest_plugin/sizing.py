"""`--nodes N`: of how many nodes a check's cluster is, where it is not left to the check.

A check that asks for one node gets N. One that asks for several gets N where that is as many or more, and is skipped
where it is fewer. One that fixes its nodes (ClusterSpec.is_fixed) gets what it asks for, whatever N is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from harness.hosts.lack import Lack, Means
from harness.targets.target import ClusterSpec, Target

MOST_NODES = 12
"""As many as a target opens on one machine."""


def nodes_of(text: str | None) -> int | None:
    """The number that --nodes gives; None where it is left to the checks. pytest.UsageError for a wrong one."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_NODES):
        raise pytest.UsageError(
            f"harness: --nodes {text}: must be a whole number from 1 to {MOST_NODES}, e.g. --nodes 3"
        )
    return int(text)


def refuse_fixed_targets(nodes: int | None, targets: Sequence[Target]) -> None:
    """pytest.UsageError where --nodes is given for a cluster that runs already."""
    for target in targets:
        if nodes is not None and not target.kind.is_ours:
            raise pytest.UsageError(
                f"harness: --nodes {nodes}: the number of nodes of --target {target.name} is its owner's; "
                "leave --nodes out"
            )


def sized(asked: ClusterSpec, nodes: int | None) -> ClusterSpec:
    """The cluster that a check gets; what it asks for where it cannot have N nodes."""
    if nodes is None or asked.is_fixed or lack_of_nodes(asked, nodes) is not None:
        return asked
    return replace(asked, nodes=nodes)


def lack_of_nodes(asked: ClusterSpec, nodes: int | None) -> Lack | None:
    """Why a check cannot run on N nodes; None when it can."""
    if nodes is None or asked.is_fixed or asked.nodes <= nodes:
        return None
    return Lack(Means.NODES, f"it needs {asked.nodes} nodes, and --nodes is {nodes}")
