"""Reads a TOML file that is one list of entries, as checks/known_differences.toml and checks/unprovoked.toml are."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any


def read_entries(path: Path, key: str, trouble: type[ValueError]) -> list[Any]:
    """What stands under [[key]]; nothing without the file. `trouble`, one line, when it is not as it should be."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise trouble(f"{path}: cannot be read as TOML: {wrong}") from wrong
    entries = data.pop(key, [])
    if data or not isinstance(entries, list):
        raise trouble(f"{path}: only [[{key}]] entries may stand here, not {', '.join(data)}")
    return entries
