"""The generated messages, API keys and error codes are what Apache Kafka's published schemas say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from harness.pytest_plugin.lacking import skip_for
from harness.targets import jars
from harness.targets.target import resolve

NEWEST = jars.PUBLISHED[-1]
"""The release from whose jars they are generated."""
OLDER = "4.3.1"
_TIMEOUT_S = 120


def check(version: str, root: Path) -> subprocess.CompletedProcess[str]:
    """`generate --check` against a release's jars, which are fetched when they are not there."""
    if (lack := resolve(f"kafka@{version}").lack()) is not None:
        skip_for(lack)
    return subprocess.run(
        [sys.executable, "-m", "reference_broker.wire.generate", "--check", "--jars", str(jars.fetch(version))],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )


def test_generated_files_are_those_of_the_newest_release(root: Path) -> None:
    done = check(NEWEST, root)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_files_of_another_release_are_called_stale(root: Path) -> None:
    done = check(OLDER, root)
    assert (done.returncode, "stale: reference_broker/wire/api_keys.py" in done.stdout + done.stderr) == (1, True)
