"""Values of stored runs, read with tolerance: older runs lack some, and damaged ones have others."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def number(value: Any) -> float:
    """A number; 0 for anything else."""
    return float(value) if isinstance(value, int | float) else 0.0


def listed(value: Any) -> Sequence[Any]:
    """A list, or the keys of an object; empty for anything else."""
    if isinstance(value, Mapping):
        return list(value)
    return value if isinstance(value, list | tuple) else ()


def text(value: Any) -> str:
    """A text; another value as JSON, and null as an empty text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
