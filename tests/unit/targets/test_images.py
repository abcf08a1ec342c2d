"""Images are built once for what they are made of: the same content is not built again, another is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.targets import images, jars

docker = pytest.importorskip("docker")


@dataclass
class Image:
    """An image of the made-up daemon."""

    id: str
    labels: dict[str, str]


@dataclass
class Daemon:
    """A made-up Docker daemon: its images by tag, and the tags that were built or imported, in order."""

    kept: dict[str, Image] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)

    @property
    def images(self) -> Daemon:
        return self

    @property
    def api(self) -> Daemon:
        return self

    def get(self, tag: str) -> Image:
        if tag not in self.kept:
            raise docker.errors.ImageNotFound(tag)
        return self.kept[tag]

    def build(self, *, tag: str, labels: dict[str, str], **_: Any) -> None:
        self.made.append(tag)
        self.kept[tag] = Image(f"sha256:{len(self.made)}", labels)

    def import_image(self, *, repository: str, tag: str, changes: list[str], **_: Any) -> None:
        (change,) = changes
        name, _, key = change.removeprefix("LABEL ").partition("=")
        self.build(tag=f"{repository}:{tag}", labels={name: key})


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Daemon:
    """An empty daemon; jars of a release that is none, and a mmdebstrap that writes an empty archive."""
    libs, tools = tmp_path / "libs", tmp_path / "bin"
    libs.mkdir()
    (libs / "kafka.jar").write_bytes(b"1")
    tools.mkdir()
    (tools / "mmdebstrap").write_text('#!/bin/sh\neval last=\\$$#\n: >"$last"\n', encoding="utf-8")
    (tools / "mmdebstrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    monkeypatch.setenv("KAFKA_VERIFICATION_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(jars, "fetch", lambda version, say: libs)
    return Daemon()


def quietly(line: str) -> None:
    """Says nothing."""


def test_what_is_not_there_is_built(daemon: Daemon) -> None:
    images.build_kafka(daemon, "9.9.9", quietly)

    assert daemon.made == [images.BASE, "local/kafka:9.9.9"]


def test_the_same_content_is_not_built_again(daemon: Daemon) -> None:
    for _ in range(2):
        images.build_anchor(daemon, quietly)
        images.build_kafka(daemon, "9.9.9", quietly)

    assert daemon.made == [images.BASE, images.ANCHOR, "local/kafka:9.9.9"]


def test_another_jar_makes_another_image(daemon: Daemon, tmp_path: Path) -> None:
    images.build_kafka(daemon, "9.9.9", quietly)
    (tmp_path / "libs" / "kafka.jar").write_bytes(b"12")
    images.build_kafka(daemon, "9.9.9", quietly)

    assert daemon.made.count("local/kafka:9.9.9") == 2


def test_another_file_makes_another_image(daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images.build_anchor(daemon, quietly)
    (tmp_path / "anchor_run.sh").write_text("exec /usr/sbin/sshd -D\n", encoding="utf-8")
    monkeypatch.setattr(images, "FILES", tmp_path)
    images.build_anchor(daemon, quietly)

    assert daemon.made.count(images.ANCHOR) == 2


def test_another_base_makes_other_images(daemon: Daemon) -> None:
    images.build_anchor(daemon, quietly)
    daemon.kept[images.BASE].id = "sha256:another"
    images.build_anchor(daemon, quietly)

    assert daemon.made.count(images.ANCHOR) == 2


def test_a_base_without_the_key_of_its_content_is_made_anew(daemon: Daemon) -> None:
    daemon.kept[images.BASE] = Image("sha256:old", {})
    images.build_anchor(daemon, quietly)

    assert daemon.made == [images.BASE, images.ANCHOR]


def test_a_daemon_that_begins_with_nothing_gets_the_base_from_the_cache(daemon: Daemon, tmp_path: Path) -> None:
    images.build_anchor(daemon, quietly)
    (tmp_path / "bin" / "mmdebstrap").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    another = Daemon()
    images.build_anchor(another, quietly)

    assert another.made == [images.BASE, images.ANCHOR]


def test_a_base_of_another_content_is_no_longer_kept(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    images.build_base(daemon, quietly)
    monkeypatch.setattr(images, "_PACKAGES", ("procps",))
    images.build_base(daemon, quietly)

    assert len(list(images.base_archive("").parent.glob("*.tar"))) == 1
