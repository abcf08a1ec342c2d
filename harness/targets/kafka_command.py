"""`python -m harness kafka VERSION…`: what a target `kafka@VERSION` needs is fetched and made beforehand."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from harness.hosts.host import HostTrouble
from harness.targets import class_archive, jars
from harness.targets.kafka_process import QUICK_START, KafkaProcessTarget
from harness.targets.target import ClusterSpec, TargetTrouble, UnknownTarget
from reference_broker.command_line import as_typed


def usage() -> str:
    """How it is called."""
    return f"""\
usage: {as_typed("harness kafka")} [--jars-only] VERSION…
  --jars-only   do not make the class archive (with it, a node needs half the CPU time to start)
known: {", ".join(jars.PUBLISHED)}
example: {as_typed("harness kafka 4.3.1")}"""


def main(arguments: list[str]) -> int:
    """Fetches the jars of releases and makes their archives of classes; the exit status."""
    jars_only = "--jars-only" in arguments
    versions = [word for word in arguments if word != "--jars-only"]
    if not versions or {"-h", "--help"} & set(versions):
        print(usage())
        return 0 if versions else 2
    for version in versions:
        try:
            libs = jars.fetch(version)
            print(libs)
            if not jars_only:
                make_archive(version, libs, print)
        except (UnknownTarget, TargetTrouble) as trouble:
            print(f"harness: {trouble}", file=sys.stderr)
            return 2
    return 0


def make_archive(version: str, libs: Path, say: Callable[[str], None]) -> None:
    """Makes the archive of a release's classes, where there is none: a broker is started, and stopped. What prevents it
    is told; nodes then start without.
    """
    place = class_archive.place_of(libs)
    if place.is_file() or jars.home_libs() is not None:  # nothing is written beside jars that are the user's own
        return
    began = time.monotonic()
    unfinished = place.with_name(f"{place.name}.{os.getpid()}")  # another process may make the same one
    target = KafkaProcessTarget(
        f"kafka@{version}", version, java_options=(*QUICK_START, f"-XX:ArchiveClassesAtExit={unfinished}")
    )
    try:
        cluster = target.open(ClusterSpec())
        try:
            cluster.nodes[0].stop()
        finally:
            cluster.close()
        unfinished.replace(place)
    except (TargetTrouble, HostTrouble, OSError) as trouble:
        say(f"kafka {version}   no class archive was made, so nodes start more slowly: {trouble}")
    else:
        size = place.stat().st_size
        say(f"kafka {version}   class archive, {size / 1e6:.0f} MB, {time.monotonic() - began:.0f} s")
    finally:
        unfinished.unlink(missing_ok=True)
