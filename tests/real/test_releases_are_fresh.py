"""What the reference knows of each release is what that release says."""

from __future__ import annotations

import pytest

from harness.pytest_plugin.lacking import skip_for
from harness.targets.target import resolve
from tests.vectors import make_releases


@pytest.fixture(scope="module")
def recordings() -> dict[str, make_releases.Recording]:
    """Each release asked anew."""
    for release in make_releases.RELEASES.values():
        if (lack := resolve(f"kafka@{release}").lack()) is not None:
            skip_for(lack)
    return {profile: make_releases.record(version) for profile, version in make_releases.RELEASES.items()}


@pytest.mark.long  # five releases are asked
@pytest.mark.parametrize("name", ["release_table.py", "config_table.py", "config_changes.py"])
def test_a_table_of_releases_is_fresh(name: str, recordings: dict[str, make_releases.Recording]) -> None:
    path = make_releases.BROKER_FOLDER / name
    content = make_releases.made(recordings)[path]
    assert path.read_text(encoding="utf-8") == content, "run python -m tests.vectors.make_releases"
