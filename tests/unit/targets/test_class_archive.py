"""The archive of classes is used where there is one for these jars and this Java, and only there."""

from __future__ import annotations

from pathlib import Path

from harness.targets import class_archive


def test_without_an_archive_there_is_no_option(tmp_path: Path) -> None:
    assert class_archive.options(tmp_path / "libs") == ()


def test_an_archive_beside_the_jars_is_used(tmp_path: Path) -> None:
    place = class_archive.place_of(tmp_path / "libs")
    place.write_bytes(b"classes")

    assert f"-XX:SharedArchiveFile={place}" in class_archive.options(tmp_path / "libs")


def test_an_archive_that_does_not_fit_is_passed_over_in_silence(tmp_path: Path) -> None:
    """Java prints a warning into a tool's output by default."""
    class_archive.place_of(tmp_path / "libs").write_bytes(b"classes")

    assert any(option.startswith("-Xlog:cds=off") for option in class_archive.options(tmp_path / "libs"))
