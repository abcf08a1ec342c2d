"""What authors of checks import from `harness`."""

from __future__ import annotations

import subprocess
import sys

import pytest

import harness


def test_each_public_name_is_there() -> None:
    assert [getattr(harness, name).__name__ for name in harness.__all__] == harness.__all__


def test_another_name_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(AttributeError, match="no public name 'Rabbit' \\(known: BrokenPromise, "):
        harness.Rabbit  # noqa: B018


def test_importing_the_harness_imports_nothing_of_it() -> None:
    code = "import sys, harness; print([name for name in sys.modules if name.startswith('harness.')])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
