"""Formats differences for the terminal, with the command that repeats the comparison. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from harness.comparing.diff import Difference
from harness.comparing.recorded.answers import PREFIX, Recording
from harness.targets.target import as_given
from reference_broker.command_line import as_typed

KNOWN_FILE: Final = "known_differences.toml"
MOST_SHOWN: Final = 6
"""Most differences of one check that are shown; all are stored."""


def file_of(check: str) -> str:
    """The id of the file that contains a check."""
    return check.partition("::")[0]


def rerun(nodeid: str, name: str, sides: Sequence[str]) -> str:
    """The command that repeats a check on those sides of a comparison that are targets."""
    targets = " ".join(f"--target {as_given(side)}" for side in sides if is_target(side))
    return as_typed(f"pytest {nodeid.partition('::')[0]} -k {name.removeprefix('test_')} {targets}")


def is_target(side: str) -> bool:
    """Whether a side of a comparison is a target, not a recording or the list of a release."""
    return not side.startswith((PREFIX, "release "))


def lines_of(
    found: Sequence[Difference], sides: Sequence[str], again: str, recording: Recording | None = None
) -> list[str]:
    """Lines for the differences of one check between two sides. `recording` is given if it is of the target itself, and
    is therefore out of date."""
    lines = list(_fields(found[:MOST_SHOWN], sides))
    if len(found) > MOST_SHOWN:
        lines.append(f"  … and {len(found) - MOST_SHOWN:,} more differences of this check: all are in the report")
    if recording is not None:
        lines.append("  The recording no longer matches this target. Record again with:")
        return [*lines, f"  {recording.again(file_of(found[0].check))}"]
    lines.append(f"  Accept it by an entry in checks/{KNOWN_FILE} (needs a reason and a review-by date), or rerun:")
    return [*lines, f"  {again}"]


def _fields(found: Sequence[Difference], sides: Sequence[str]) -> Iterator[str]:
    width = max(len("request"), *(len(side) for side in sides))
    for difference in found:
        version = f" v{difference.version}" if difference.version >= 0 else ""
        where = f"{difference.api}{version}, " if difference.api else ""
        yield f"DIFFERS  {difference.check}   {' | '.join(sides)}        {where}field {difference.field}"
        yield f"  {'request':<{width}}  {difference.request}"
        for side, value in difference.values.items():
            yield f"  {side:<{width}}  {difference.field} = {value}"
