"""Where a measurement was taken: without it a figure says little."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from bench.subjects import KAFKA
from compiled.modules import MODULES


def description() -> list[str]:
    """Lines that name processor, memory, system, Python, Java and the commit."""
    return [
        f"machine   {os.cpu_count()} cores ({_processor()}), {_memory_gb():.0f} GB, load {os.getloadavg()[0]:.1f}",
        f"system    {platform.platform()}",
        f"python    {platform.python_version()}, {_form()}",
        f"java      {_first_line('java', '-version') or 'not there'}",
        f"kafka     {KAFKA}, with the JVM options of kafka-server-start.sh",
        f"commit    {_first_line('git', 'describe', '--always', '--dirty') or 'unknown'}",
    ]


def _form() -> str:
    """Whether modules of the reference are compiled: see compiled/README.md."""
    found = [name for name in MODULES if str(import_module(name).__file__).endswith(EXTENSION_SUFFIXES[0])]
    return f"{len(found)} modules of the reference compiled by mypyc" if found else "no module compiled"


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M)
    except OSError:
        found = None
    return found.group(1) if found else platform.processor() or platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9


def _first_line(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    said = (done.stdout or done.stderr).splitlines()
    return said[0] if said and not done.returncode else ""
