"""How the model reports an answer that is not allowed: one sentence for each wrong value."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from reference_broker.wire.errors import ErrorCode

Complaints = Iterator[str]
"""Sentences about what is wrong in an answer; empty when the answer is allowed."""

ANY: frozenset[int] = frozenset(map(int, ErrorCode))
"""All error codes: the allowed set where the model makes no prediction."""


def expect(what: str, found: object, *allowed: object) -> Complaints:
    """Yields a complaint unless the value is one of those allowed. `what` names the value in words."""
    if found not in allowed:
        yield f"{what} should be {' or '.join(map(_short, allowed))}, and is {_short(found)}"


def expect_code(where: str, found: int, allowed: Collection[int]) -> Complaints:
    """Yields a complaint unless the error code is one of those allowed."""
    if found not in allowed:
        names = " or ".join(code_name(code) for code in sorted(allowed))
        yield f"{where}: expected {names}, got {code_name(found)}"


def code_name(code: int) -> str:
    """Name and number of an error code: "OFFSET_OUT_OF_RANGE (1)"."""
    try:
        return f"{ErrorCode(code).name} ({code})"
    except ValueError:
        return f"unknown error ({code})"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:159]}…"
