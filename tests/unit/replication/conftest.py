"""Lets the tests of hosted partitions import the broker in memory, and the disk that it stands on."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent / "log", HERE.parent / "controller"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
