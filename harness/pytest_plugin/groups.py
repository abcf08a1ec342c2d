"""Which checks run in the same worker of pytest-xdist: those that share a cluster, so that it is opened once.

Checks that ask for no cluster of their own are most of a run: they are shared out by file among as many clusters as
there are workers, so that no worker waits for another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import pytest

from harness.pytest_plugin.clusters import Key, key_of, shared_spec
from harness.targets.target import ClusterSpec

_SUFFIX: Final = re.compile(r"@cluster-[\d.]+\Z")
_ONE_NODE: Final = ClusterSpec()


def choose_distribution(config: pytest.Config) -> None:
    """With `-n N`, checks are distributed by cluster. pytest.UsageError for another way that was asked for."""
    option = config.option
    if not getattr(option, "numprocesses", None) and not getattr(option, "tx", None):
        return
    chosen = "load" if option.distload else option.dist
    if chosen == "no":
        option.dist = "loadgroup"
    elif chosen != "loadgroup":
        raise pytest.UsageError(
            f"harness: --dist {chosen}: checks that share a cluster must run in one worker; leave --dist out"
        )


def group_names(
    uses: Iterable[tuple[Key | None, str]], workers: int, shared: ClusterSpec = _ONE_NODE
) -> list[str | None]:
    """The group of each check, given its cluster and its file; None for a check that uses no cluster. `shared`: the
    cluster of checks that ask for none of their own."""
    keys: dict[Key, int] = {}
    files: dict[str, int] = {}
    names: list[str | None] = []
    for key, file in uses:
        if key is None:
            names.append(None)
            continue
        number, share = keys.setdefault(key, len(keys) + 1), files.setdefault(file, len(files)) % max(workers, 1)
        names.append(f"cluster-{number}.{share}" if key[1] == shared.key() else f"cluster-{number}")
    return names


def mark_groups(items: Iterable[pytest.Item], workers: int) -> None:
    """Gives each item the marker that pytest-xdist looks for."""
    listed = list(items)
    uses = [(key_of(item), str(item.path)) for item in listed]
    names = group_names(uses, workers, shared_spec(listed[0].config)) if listed else []
    for item, name in zip(listed, names, strict=True):
        if name is not None:
            item.add_marker(pytest.mark.xdist_group(name))


def without_group(nodeid: str) -> str:
    """pytest's id of an item without the group that pytest-xdist adds to it."""
    return _SUFFIX.sub("", nodeid)
