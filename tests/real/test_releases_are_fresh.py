"""What the reference knows of each release is what that release says."""

from __future__ import annotations

import shutil

import pytest

from harness.targets import jars
from harness.targets.kafka_process import java_missing
from tests.vectors import make_releases


@pytest.fixture(scope="module")
def recordings() -> dict[str, make_releases.Recording]:
    """Each release asked anew."""
    if (reason := java_missing()) is not None:
        pytest.skip(reason)
    missing = [one for one in make_releases.RELEASES.values() if jars.version_in(jars.libs_folder(one)) is None]
    if missing and shutil.which("mvn") is None:
        pytest.skip(f"no jars of Kafka {', '.join(missing)}, and no Maven, which fetches them")
    return {profile: make_releases.record(version) for profile, version in make_releases.RELEASES.items()}


@pytest.mark.parametrize("name", ["release_table.py", "config_table.py", "config_changes.py"])
def test_a_table_of_releases_is_fresh(name: str, recordings: dict[str, make_releases.Recording]) -> None:
    path = make_releases.BROKER_FOLDER / name
    content = make_releases.made(recordings)[path]
    assert path.read_text(encoding="utf-8") == content, "run python -m tests.vectors.make_releases"
