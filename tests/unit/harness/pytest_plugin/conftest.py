"""Runs of pytest inside these tests import the harness anew, but numpy can be loaded only once in a process."""

from __future__ import annotations

import numpy

__all__ = ["numpy"]
