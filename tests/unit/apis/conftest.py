"""Lets the tests of APIs import the broker in memory, and the disk that it stands on."""

from __future__ import annotations

import sys
from pathlib import Path

UNIT = Path(__file__).parent.parent
for folder in (UNIT / "replication", UNIT / "log", UNIT / "groups", UNIT / "controller"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
