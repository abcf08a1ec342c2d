"""The archive of classes of a Kafka release: with it a JVM starts with about half of the processor time.

Java's class data sharing (JEP 350): the classes that a broker loaded are stored once, parsed and verified, and every
later JVM on the same jars maps them into its memory. It changes nothing that a broker does. `python -m harness kafka`
makes it; without one, or with one that does not fit, a JVM loads its classes from the jars.
"""

from __future__ import annotations

import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

from harness.targets.java import version_text

_QUIET = "-Xlog:cds=off,cds+dynamic=off,class+path=off"
"""An archive that does not fit is passed over; tools' output must not tell of it."""


def place_of(libs: Path) -> Path:
    """Where the archive for the jars in a folder is, or would be: beside them, under the name of this Java."""
    return libs.parent / f"classes-{sha256(_java_version().encode()).hexdigest()[:16]}.jsa"


def options(libs: Path) -> tuple[str, ...]:
    """The JVM options that make use of the archive; none where there is none."""
    place = place_of(libs)
    return (f"-XX:SharedArchiveFile={place}", _QUIET) if place.is_file() else ()


def _java_version() -> str:
    try:
        return version_text(shutil.which("java") or "java")
    except (OSError, subprocess.TimeoutExpired):
        return ""
