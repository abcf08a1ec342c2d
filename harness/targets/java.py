"""The Java of this machine."""

from __future__ import annotations

import functools
import subprocess

_TIMEOUT_S = 30.0


@functools.cache
def version_text(java: str) -> str:
    """What `java -version` says, asked once. OSError or subprocess.TimeoutExpired when it cannot be asked."""
    done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    return done.stderr
