"""Globs in files of entries and in rules: brackets, as in ids of checks and paths of fields, match themselves."""

from __future__ import annotations

from fnmatch import fnmatchcase


def matches(text: str, glob: str) -> bool:
    """Whether a text matches a glob in which * and ? have their usual meaning, and brackets none."""
    return fnmatchcase(text, glob.replace("[", "[[]"))
