"""Lets the tests of groups import the coordinators in memory that they talk to."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent / "replication", HERE.parent / "log", HERE.parent / "controller"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
