"""Replication as transcripts: tests/unit/replication/*.txt. `--rewrite` takes over what is printed now."""

from __future__ import annotations

from pathlib import Path

import pytest
from replica_transcript import Transcript

FILES = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_transcript_says_what_happens(path: Path, request: pytest.FixtureRequest) -> None:
    expected = path.read_text(encoding="utf-8")
    found = Transcript().run(expected)
    if request.config.getoption("--rewrite"):
        path.write_text(found, encoding="utf-8")
    else:
        assert found == expected
