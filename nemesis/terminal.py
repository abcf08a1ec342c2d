"""Lines for a terminal: a label with a text beside it, and texts that are wrapped, so that none is cut or runs over."""

from __future__ import annotations

import textwrap

WIDTH = 100
_LABEL = 14


def labelled(label: str, text: str, at: int = _LABEL) -> list[str]:
    """A label, and from the column `at` on a text, in as many lines as it needs."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=f"{label:<{at}}",
        subsequent_indent=" " * at,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [label]


def wrapped(line: str, *, hang: int = 2) -> list[str]:
    """A line in as many as it needs; the further ones are indented by `hang` more than the first."""
    margin = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(
        line.strip(),
        WIDTH,
        initial_indent=margin,
        subsequent_indent=margin + " " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]
