"""Reads a TOML file of entries, as checks/known_differences.toml and checks/unprovoked.toml are."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any


def read_entries(path: Path, *keys: str, trouble: type[ValueError]) -> tuple[list[Any], ...]:
    """The lists of [[key]] entries, one for each key; empty if the file does not exist.

    Raises `trouble`, with one line, if the file is not valid TOML or has other keys.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return tuple([] for _ in keys)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise trouble(f"{path}: cannot be read as TOML: {wrong}") from wrong
    found = tuple(data.pop(key, []) for key in keys)
    if data or not all(isinstance(entries, list) for entries in found):
        allowed = " and ".join(f"[[{key}]]" for key in keys)
        raise trouble(f"{path}: only {allowed} entries may stand here, not {', '.join(data)}")
    return found
