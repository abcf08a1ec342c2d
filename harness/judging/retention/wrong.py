"""What is wrong with a history of a log's ends, and the lines that show it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.judging.retention.log_history import Look, Span


@dataclass(frozen=True, slots=True)
class Wrong:
    """One violation: the claim that it breaks, what happened, and a few lines of the history."""

    claim: str
    sentence: str
    lines: tuple[str, ...] = ()


def at(span: Span) -> str:
    """When something was: "12,345.678 to 12,345.690" would tell nobody more than the last six digits do."""
    return f"t={span.began_ms % 10_000_000 / 1000:.3f}..{span.ended_ms % 10_000_000 / 1000:.3f}"


def line(look: Look) -> str:
    """A look as a line of a witness."""
    told = {
        "start": look.start,
        "end": look.end,
        "answered from": look.answered_at,
        "OFFSET_OUT_OF_RANGE from": look.refused_at,
    }
    return (
        f"{at(look)}  {look.asked}  {', '.join(f'{name} {value}' for name, value in told.items() if value is not None)}"
    )
