"""What the kernel says about a server process: memory held, processor time spent."""

from __future__ import annotations

import os
import re
from pathlib import Path


def resident_mb(pid: int) -> float:
    """Resident set size in MB (10^6 bytes)."""
    return _status_mb(pid, "VmRSS")


def _status_mb(pid: int, name: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    match = re.search(rf"^{name}:\s+(\d+) kB", status, re.M)
    if match is None:
        raise RuntimeError(f"process {pid} has no {name}: it has ended")
    return int(match.group(1)) * 1024 / 1e6


def peak_mb(pid: int) -> float:
    """The largest resident set size since the process started, in MB (10^6 bytes)."""
    return _status_mb(pid, "VmHWM")


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads since the process started."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
