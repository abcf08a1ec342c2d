"""`python -m harness` where its reader goes away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_a_list_whose_reader_has_gone_ends_without_a_traceback(root: Path) -> None:
    command = [sys.executable, "-m", "harness", "list", "checks"]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()

        assert process.stderr.read() == ""
