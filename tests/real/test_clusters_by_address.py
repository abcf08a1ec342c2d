"""A cluster that runs already is checked by its address: what can be is, what cannot is skipped, nothing is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.clients.operators.librdkafka import LibrdkafkaOperator
from harness.pytest_plugin.lacking import skip_for
from harness.targets.readiness import ask
from harness.targets.target import Cluster, ClusterSpec, TargetKind, resolve
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.list_groups_request import ListGroupsRequest

TARGETS = ("reference", pytest.param("kafka@4.3.1", marks=pytest.mark.long))
CHECKS = (
    "checks/durability/test_acknowledged_records_survive.py",
    "checks/durability/test_failed_folders.py",
    "checks/groups/test_offset_commit.py",
    "checks/metadata/test_create_topics.py",
    "checks/metadata/test_describe_cluster.py",
    "checks/metadata/test_unregistered_brokers.py",
    "checks/ordering/test_keys_choose_partitions.py",
)
THEIRS = "somebody-elses"
_TIMEOUT_S = 240


@dataclass(frozen=True)
class Checked:
    """How the checks of a cluster by its address ended, and what the cluster holds afterwards."""

    status: int
    said: str
    outcomes: dict[str, list[str]]
    """Outcome of a check -> the checks with it, each with the reason of its skip."""
    topics: set[str]
    groups: list[str]


def run_checks(cluster: Cluster, folder: Path, root: Path, *, is_reference: bool) -> Checked:
    for name in ("checks", "tests", "pyproject.toml"):
        (folder / name).symlink_to(root / name)
    # The reference lists less than its release, and by an address nothing else tells of which it is.
    release = ["--recorded", "tests/recorded/kafka-4.3.1"] if is_reference else []
    options = ["--target", f"at:{cluster.bootstrap}", *release, "--duration", "2", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *CHECKS, *options],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=_TIMEOUT_S,
        check=False,
    )
    outcomes: dict[str, list[str]] = {}
    for meta in sorted((folder / "reports" / "out" / "latest").glob("*/meta.json")):
        item: dict[str, Any] = json.loads(meta.read_text(encoding="utf-8"))
        outcomes.setdefault(item["more"]["outcome"], []).append(f"{item['check']}: {item['more']['skip_reason']}")
    topics = set(LibrdkafkaOperator(cluster.bootstrap).topics())
    listed = ask(cluster.nodes[0].address, ApiKey.LIST_GROUPS, 4, ListGroupsRequest()).groups
    return Checked(done.returncode, done.stdout, outcomes, topics, [group.group_id for group in listed])


@pytest.fixture(scope="module", params=TARGETS)
def checked(request: pytest.FixtureRequest, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checked]:
    target = resolve(request.param)
    if (lack := target.lack(ClusterSpec())) is not None:
        skip_for(lack)
    cluster = target.open(ClusterSpec())
    try:
        LibrdkafkaOperator(cluster.bootstrap).create_topic(THEIRS)
        folder, is_reference = tmp_path_factory.mktemp("at"), target.kind is TargetKind.REFERENCE
        yield run_checks(cluster, folder, root, is_reference=is_reference)
    finally:
        cluster.close()


def test_what_can_be_checked_holds(checked: Checked) -> None:
    assert (checked.status, set(checked.outcomes)) == (0, {"held", "skipped"}), checked.said
    assert len(checked.outcomes["held"]) > 50


def test_faults_and_settings_are_skipped_with_their_reason(checked: Checked) -> None:
    skipped = checked.outcomes["skipped"]
    reasons = ("cannot inject kill: this target gives no control", "cannot be configured", "cannot fill disks")
    assert [any(reason in one for one in skipped) for reason in reasons] == [True] * 3, skipped


def test_nothing_of_the_checks_is_left_and_nothing_of_others_is_gone(checked: Checked) -> None:
    assert {name for name in checked.topics if not name.startswith("__")} == {THEIRS}
    assert checked.groups == []


def test_a_check_of_more_brokers_is_not_for_a_smaller_cluster() -> None:
    cluster = resolve("reference").open(ClusterSpec())
    try:
        lack = resolve(f"at:{cluster.bootstrap}").lack(ClusterSpec(nodes=3))
    finally:
        cluster.close()

    assert "3 brokers are needed; the cluster has 1" in str(lack)
