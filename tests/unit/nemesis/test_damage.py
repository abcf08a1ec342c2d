"""Which byte of which file is damaged, and what happens to the node that is started on it."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from harness.history.operations import FaultAct
from harness.hosts.host import HostTrouble
from nemesis.damage import Damage, Damaged, How
from nemesis.fault_names import fault_named


class FakeNode:
    """A node on a folder, which refuses some files."""

    id = 1
    machine = None

    def __init__(self, folder: Path, refuses: bytes = b"-") -> None:
        self.data_dir = folder
        self._refuses = refuses
        self.alive = True
        self.told: list[str] = []

    def kill(self) -> None:
        self.told.append("kill")
        self.alive = False

    def stop(self) -> None:
        self.told.append("stop")
        self.alive = False

    def start(self) -> None:
        self.told.append("start")
        self.alive = not any(path.read_bytes() == self._refuses for path in self.data_dir.rglob("*") if path.is_file())

    def is_alive(self) -> bool:
        return self.alive

    def is_paused(self) -> bool:
        return False

    def wait_ready(self, timeout_s: float = 0.0) -> None:
        if not self.alive:
            raise HostTrouble("ended before it was ready")


class FakeCluster:
    bootstrap = "nowhere:1"

    def __init__(self, node: FakeNode) -> None:
        self.nodes: Any = (node,)


def struck(fault: Damage, node: FakeNode) -> tuple[Any, str]:
    cluster: Any = FakeCluster(node)
    fault._chance = Random(3)
    return cluster, fault.inject(cluster, FaultAct(kind="damage", nodes=(1,)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("orders-0", "__consumer_offsets-1", "__cluster_metadata-0"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "00000000000000000000.log").write_bytes(bytes(range(1, 101)))
    (tmp_path / "replication-offset-checkpoint").write_text("0\n2\norders 0 17\norders 1 4\n")
    return tmp_path


def test_a_bit_of_a_segment_is_flipped_and_nothing_else(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    struck(Damage(), node := FakeNode(folder))
    changed = [path for path, data in before.items() if path.read_bytes() != data]
    assert [path.parent.name for path in changed] == ["orders-0"]
    old, new = before[changed[0]], changed[0].read_bytes()
    assert [(one ^ other).bit_count() for one, other in zip(old, new, strict=True) if one != other] == [1]
    assert node.told == ["kill"]


def test_a_checkpoint_is_cut_where_it_makes_no_sense_any_more(folder: Path) -> None:
    struck(Damage(what=Damaged.HIGH_WATERMARK, how=How.CUT), node := FakeNode(folder))
    assert (folder / "replication-offset-checkpoint").read_text() == "0\n2\n"
    assert node.told == ["stop"]


def test_a_node_that_refuses_the_file_gets_it_back(folder: Path) -> None:
    fault = Damage(what=Damaged.HIGH_WATERMARK, how=How.CUT)
    cluster, _ = struck(fault, node := FakeNode(folder, refuses=b"0\n2\n"))
    said = fault.heal(cluster)
    assert (fault.refused, said) == ([1], "started node 1; node 1 refused the damaged file")
    assert (folder / "replication-offset-checkpoint").read_text().endswith("orders 1 4\n")
    assert node.is_alive()


def test_a_node_that_takes_the_file_keeps_it(folder: Path) -> None:
    fault = Damage(what=Damaged.HIGH_WATERMARK, how=How.CUT)
    cluster, _ = struck(fault, FakeNode(folder))
    fault.heal(cluster)
    assert (fault.refused, (folder / "replication-offset-checkpoint").read_text()) == ([], "0\n2\n")


def test_a_file_that_is_not_there_cannot_be_damaged(folder: Path) -> None:
    with pytest.raises(HostTrouble, match="there is no snapshot to damage"):
        struck(Damage(what=Damaged.SNAPSHOT), FakeNode(folder))


def test_a_damage_is_written_as_it_is_named() -> None:
    assert [str(fault_named(name)) for name in ("damage", "damage:index", "damage:epochs:cut")] == [
        "damage:segment:flip",
        "damage:index:flip",
        "damage:epochs:cut",
    ]
    with pytest.raises(ValueError, match="unknown damage 'moon'"):
        fault_named("damage:moon")
