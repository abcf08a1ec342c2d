"""What checks get from the plugin beside their cluster, as far as they use it: an admin client that makes any topic, a
name for their topic, and a record in which steps may be noted.
"""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any


def admin() -> Any:
    """Topics are made by asking."""
    return SimpleNamespace(create_topic=lambda *topic: None)


def names(topic: str = "orders") -> Any:
    """Every topic has this name."""
    return SimpleNamespace(topic=lambda label: topic)


def record() -> Any:
    """A record of nothing."""
    return SimpleNamespace(step=lambda what: nullcontext(), faults=0, operations=0, steps=[])
