"""Apache Kafka's published jars: fetched by Maven into a cache, or those of $KAFKA_HOME."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from harness.cache import cache_folder
from harness.targets.target import TargetTrouble, UnknownTarget

PUBLISHED = ("4.0.0", "4.0.2", "4.1.0", "4.1.1", "4.1.2", "4.2.0", "4.2.1", "4.2.2", "4.3.0", "4.3.1", "4.4.0")
"""Releases whose broker can be fetched from Maven's central repository."""
_TOOLS_OF = {"4.2.2": "4.3.1", "4.4.0": "4.3.1"}
"""Releases published without their tools -> the release whose tools stand in."""
_LOGGING = "2.25.4"
_ATTEMPTS = 3
_ATTEMPT_TIMEOUT_S = 300.0
_PROGRESS_EVERY_S = 2.0
_BROKER_JAR = re.compile(r"kafka_2\.13-(\d[\w.\-]*)\.jar")


def libs_folder(version: str) -> Path:
    """Where the jars of a release are, or would be."""
    return cache_folder() / "kafka" / version / "libs"


def version_in(libs: Path) -> str | None:
    """The release of the broker's jar in a folder; None when there is no such jar."""
    if not libs.is_dir():
        return None
    found = [match.group(1) for match in map(_BROKER_JAR.fullmatch, sorted(os.listdir(libs))) if match]
    return found[0] if found else None


def home_libs() -> Path | None:
    """The jars of $KAFKA_HOME, None when it is not set. TargetTrouble when it holds no broker."""
    home = os.environ.get("KAFKA_HOME")
    if not home:
        return None
    libs = Path(home) / "libs"
    if version_in(libs) is None:
        raise TargetTrouble(f"KAFKA_HOME={home}: there is no kafka_2.13-….jar in its folder libs")
    return libs


def known(version: str) -> bool:
    """Whether a release is published, or in the cache already."""
    return version in PUBLISHED or version_in(libs_folder(version)) is not None


def require_known(version: str, asked_as: str) -> None:
    """UnknownTarget, with the known releases, when a release is neither published nor in the cache."""
    if not known(version):
        raise UnknownTarget(
            f"{asked_as}: no such release is published (known: {', '.join(PUBLISHED)}); "
            "for your own build set KAFKA_HOME"
        )


def fetch(version: str, say: Callable[[str], None] = print) -> Path:
    """The folder with a release's jars, fetched when they are not in the cache.

    UnknownTarget for a release that was not published; TargetTrouble when Maven is missing or does not succeed.
    """
    require_known(version, f"kafka {version}")
    libs = libs_folder(version)
    if version_in(libs) is not None:
        return libs
    maven = shutil.which("mvn")
    if maven is None:
        raise TargetTrouble(f"kafka {version}: Maven (mvn) is needed to fetch the jars; or set KAFKA_HOME")
    libs.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="fetch-", dir=libs.parent))
    try:
        (work / "pom.xml").write_text(_pom(version), encoding="utf-8")
        for attempt in range(1, _ATTEMPTS + 1):
            trouble = _run_maven(maven, work, version, say)
            if trouble is None:
                break
            say(f"kafka {version}   attempt {attempt} of {_ATTEMPTS} failed: {trouble}")
        else:
            raise TargetTrouble(f"kafka {version}: Maven could not fetch the jars: {trouble}")
        try:
            (work / "libs").rename(libs)
        except OSError:  # another run was faster
            if version_in(libs) is None:
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return libs


def _run_maven(maven: str, work: Path, version: str, say: Callable[[str], None]) -> str | None:
    """One attempt, its progress told every few seconds; what went wrong, or None."""
    output, libs = work / "maven.log", work / "libs"
    command = [maven, "-B", "dependency:copy-dependencies", "-DoutputDirectory=libs", "-DincludeScope=runtime"]
    say(f"kafka {version}   fetching the jars with Maven (about 56 MB) into {libs_folder(version)}")
    started = said = time.monotonic()
    with output.open("wb") as log:
        process = subprocess.Popen(command, cwd=work, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            while process.poll() is None:
                now = time.monotonic()
                if now - started > _ATTEMPT_TIMEOUT_S:
                    return f"did not end within {_ATTEMPT_TIMEOUT_S:g} s"
                if now - said >= _PROGRESS_EVERY_S:
                    said = now
                    say(f"kafka {version}   {_downloads(output)} files fetched, {now - started:.0f} s")
                time.sleep(0.1)
        finally:
            process.kill()
            process.wait()
    if process.returncode or version_in(libs) is None:
        lines = [line for line in output.read_text(errors="replace").splitlines() if "ERROR" in line]
        return lines[0] if lines else f"Maven ended with status {process.returncode}"
    jars = list(libs.iterdir())
    size = sum(jar.stat().st_size for jar in jars)
    say(f"kafka {version}   {len(jars)} jars, {size / 1e6:.0f} MB, {time.monotonic() - started:.0f} s")
    return None


def _downloads(output: Path) -> int:
    return output.read_text(errors="replace").count("Downloaded from")


def _pom(version: str) -> str:
    tools = _TOOLS_OF.get(version, version)
    wanted = (
        ("org.apache.kafka", "kafka_2.13", version),  # first: its versions win where dependencies are shared
        ("org.apache.kafka", "kafka-tools", tools),
        ("org.apache.kafka", "kafka-shell", tools),
        ("org.apache.logging.log4j", "log4j-slf4j-impl", _LOGGING),
    )
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{number}</version></dependency>"
        for group, name, number in wanted
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>kafka-verification</groupId><artifactId>jars</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>\n"
    )
