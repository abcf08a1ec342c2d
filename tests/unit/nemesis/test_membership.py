"""An empty node in the place of another: of its folder only what formatting makes is left, under a new id."""

from __future__ import annotations

from pathlib import Path

from nemesis.membership import META, empty


def folder_with_data(path: Path) -> Path:
    (path / META).write_text("version=1\ncluster.id=abc\nnode.id=2\ndirectory.id=old\n", encoding="utf-8")
    (path / "bootstrap.checkpoint").write_bytes(b"features")
    (path / "orders-0").mkdir()
    (path / "orders-0" / "00000000000000000000.log").write_bytes(b"records")
    (path / "recovery-point-offset-checkpoint").write_text("0\n", encoding="utf-8")
    return path


def test_records_and_checkpoints_are_gone_and_the_formatting_stays(tmp_path: Path) -> None:
    gone = empty(folder_with_data(tmp_path))
    assert (gone, sorted(path.name for path in tmp_path.iterdir())) == (2, ["bootstrap.checkpoint", META])


def test_the_cluster_and_the_node_stay_the_same_and_the_directory_is_new(tmp_path: Path) -> None:
    empty(folder_with_data(tmp_path))
    lines = (tmp_path / META).read_text(encoding="utf-8").splitlines()
    assert lines[:3] == ["version=1", "cluster.id=abc", "node.id=2"]
    assert lines[3].startswith("directory.id=")
    assert lines[3] != "directory.id=old"
