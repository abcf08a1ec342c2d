"""Local Docker images, for machines that can pull none: Kafka of a published release, and the anchor.

Both stand on one Debian base, made by mmdebstrap where that is installed, else on the published Debian image. The Kafka
image honours the contract of the published ones: KAFKA_* variables become settings, CLUSTER_ID formats the storage.

An image carries the key of its content, a digest of all that it is made of, as a label: what is there already is not
built again. The base is also kept as an archive in the cache, for daemons that begin with nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness.cache import cache_folder
from harness.targets import jars, leftovers
from harness.targets.target import TargetTrouble

ANCHOR = "local/anchor:1"
BASE = "local/base:bookworm"
CONTENT = "kafka-verification.content"
"""The label that holds the key of an image's content."""
_SUITE = "bookworm"
_PACKAGES = (
    "openjdk-17-jre-headless",
    "openssh-server",
    "iproute2",
    "iptables",
    "procps",
    "python3",
    "ca-certificates",
)
FILES = Path(__file__).resolve().parent / "image_files"
_BOOTSTRAP_TIMEOUT_S = 900.0

_PULLED_BASE = f"""\
FROM debian:{_SUITE}-slim
RUN apt-get update && apt-get install -y --no-install-recommends {" ".join(_PACKAGES)} && rm -rf /var/lib/apt/lists/*
"""
_KAFKA = f"""\
FROM {BASE}
RUN mkdir -p /opt/kafka/config /etc/kafka/docker /mnt/shared/config /var/lib/kafka/data \\
 && useradd --uid 1000 --home-dir /opt/kafka appuser && chown -R appuser /opt/kafka/config /var/lib/kafka
COPY libs /opt/kafka/libs
COPY server.properties log4j2.yaml tools-log4j2.yaml /etc/kafka/docker/
COPY --chown=appuser server.properties log4j2.yaml tools-log4j2.yaml /opt/kafka/config/
COPY kafka_run.sh /etc/kafka/docker/run
USER appuser
EXPOSE 9092
VOLUME ["/var/lib/kafka/data"]
CMD ["/etc/kafka/docker/run"]
"""
_ANCHOR = f"""\
FROM {BASE}
COPY anchor_run.sh /anchor_run.sh
EXPOSE 22
CMD ["/bin/sh", "/anchor_run.sh"]
"""


def kafka_tag(version: str) -> str:
    """The name of the local image of a release."""
    return f"local/kafka:{version}"


def connect() -> Any:
    """A client of the Docker daemon. TargetTrouble when none answers."""
    try:
        import docker
    except ImportError as trouble:
        raise TargetTrouble(f"the Python package `docker` is not installed: {trouble}") from trouble
    try:
        client = docker.from_env(timeout=120)
        client.ping()
    except (docker.errors.DockerException, OSError) as trouble:
        where = os.environ.get("DOCKER_HOST", "the default socket")
        raise TargetTrouble(f"no Docker daemon answers at {where}: start one, or set DOCKER_HOST") from trouble
    return client


def has(client: Any, tag: str) -> bool:
    """Whether an image is on this machine."""
    import docker

    try:
        client.images.get(tag)
    except docker.errors.ImageNotFound:
        return False
    return True


def content_key(parts: Iterable[str | bytes]) -> str:
    """A digest of all that an image is made of."""
    digest = sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def is_made_of(client: Any, tag: str, key: str) -> bool:
    """Whether an image is on this machine and has this content."""
    return has(client, tag) and dict(client.images.get(tag).labels or {}).get(CONTENT) == key


def is_to_build(client: Any, tag: str, key: str, what: str, say: Callable[[str], None]) -> bool:
    """Whether an image of this content is still to be built; says so, with what it is to hold, or that it is there."""
    is_there = is_made_of(client, tag, key)
    say(f"image {tag}   {'up to date' if is_there else what}")
    return not is_there


def build_base(client: Any, say: Callable[[str], None]) -> None:
    """Debian with Java, sshd and the network's tools; kept for all later images."""
    key = content_key((_PULLED_BASE, _SUITE, *_PACKAGES))
    if is_made_of(client, BASE, key):
        return
    if shutil.which("mmdebstrap") is None:
        say(f"image {BASE}   from debian:{_SUITE}-slim (mmdebstrap is not installed)")
        _build_of_files(client, BASE, key, _PULLED_BASE, ())
        return
    archive = base_archive(key)
    if archive.is_file():
        say(f"image {BASE}   from {archive}")
    else:
        say(f"image {BASE}   a Debian {_SUITE} with Java by mmdebstrap, about 40 s")
        _make_archive(archive)
    repository, _, tag = BASE.partition(":")
    client.api.import_image(src=str(archive), repository=repository, tag=tag, changes=[f"LABEL {CONTENT}={key}"])


def base_archive(key: str) -> Path:
    """Where the base with this content is kept, or would be."""
    return cache_folder() / "images" / f"base-{key[:16]}.tar"


def _make_archive(archive: Path) -> None:
    """Runs mmdebstrap; bases with another content are removed. TargetTrouble when it fails."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="base-", dir=archive.parent) as folder:
        made = Path(folder) / "base.tar"
        command = ["mmdebstrap", "--variant=minbase", f"--include={','.join(_PACKAGES)}", _SUITE, str(made)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_BOOTSTRAP_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            raise TargetTrouble(f"mmdebstrap did not end within {_BOOTSTRAP_TIMEOUT_S:g} s") from None
        if done.returncode:
            raise TargetTrouble(f"mmdebstrap failed: {(done.stderr.strip().splitlines() or ['no output'])[-1]}")
        for older in archive.parent.glob("base-*.tar"):
            older.unlink(missing_ok=True)
        made.rename(archive)


def build_anchor(client: Any, say: Callable[[str], None] = print) -> str:
    """The anchor's image; its name."""
    build_base(client, say)
    _build(client, ANCHOR, _ANCHOR, (FILES / "anchor_run.sh",), None, "sshd, the network's tools", say)
    return ANCHOR


def build_kafka(client: Any, version: str, say: Callable[[str], None] = print) -> str:
    """The image of a release, from its published jars; its name. UnknownTarget when there is no such release."""
    libs = jars.fetch(version, say)
    build_base(client, say)
    tag = kafka_tag(version)
    files = tuple(FILES / name for name in ("server.properties", "log4j2.yaml", "kafka_run.sh"))
    _build(client, tag, _KAFKA, files, libs, f"from the jars of {version}", say)
    return tag


def _build(
    client: Any,
    tag: str,
    dockerfile: str,
    files: Sequence[Path],
    libs: Path | None,
    what: str,
    say: Callable[[str], None],
) -> None:
    """Builds an image on the base, unless there is one of the same content. Jars count by their names and sizes."""
    parts: list[str | bytes] = [client.images.get(BASE).id, dockerfile]
    for file in files:
        parts += [file.name, file.read_bytes()]
    for jar in sorted(libs.iterdir()) if libs is not None else ():
        parts.append(f"{jar.name} {jar.stat().st_size}")
    key = content_key(parts)
    if is_to_build(client, tag, key, what, say):
        _build_of_files(client, tag, key, dockerfile, files, libs)


def _build_of_files(
    client: Any, tag: str, key: str, dockerfile: str, files: Sequence[Path], libs: Path | None = None
) -> None:
    """Builds from a context of just these files."""
    with leftovers.temporary_folder() as context:
        (context / "Dockerfile").write_text(dockerfile, encoding="utf-8")
        for file in files:
            shutil.copy(file, context / file.name)
            (context / file.name).chmod(0o755 if file.suffix == ".sh" else 0o644)
        if libs is not None:
            shutil.copytree(libs, context / "libs")
            shutil.copy(context / "log4j2.yaml", context / "tools-log4j2.yaml")
        run_build(client, tag, key, context)


def run_build(client: Any, tag: str, key: str, context: Path) -> None:
    """Builds a folder with the classic builder. TargetTrouble when it fails."""
    import docker

    try:
        client.images.build(path=str(context), tag=tag, rm=True, forcerm=True, labels={CONTENT: key})
    except (docker.errors.BuildError, docker.errors.APIError) as trouble:
        raise TargetTrouble(f"image {tag} could not be built: {trouble}") from trouble
