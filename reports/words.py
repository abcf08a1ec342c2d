"""How reports write numbers, times and names: counts with thousands separators, milliseconds beside the time of day."""

from __future__ import annotations

import re
from datetime import datetime

_WITNESS_TIME = re.compile(r"^([>\s]*)t=\s*(\d+\.\d+)\s{0,2}")
_WITNESS_END = re.compile(r"^(\s*)end\s+")


def count(number: int, noun: str = "", plural: str = "") -> str:
    """ "1,204 records"; the noun's plural is its s-form unless given."""
    if not noun:
        return f"{number:,}"
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def milliseconds(value: float) -> str:
    """ "9,012 ms"; below ten with one decimal."""
    return f"{value:,.1f} ms" if 0 < value < 10 else f"{value:,.0f} ms"


def duration(seconds: float) -> str:
    """ "12.4 s", and from two minutes on "2 m 41 s"."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:,} m {rest:02d} s"


def time_of_day(epoch_ms: float) -> str:
    """ "10:15:33.204", in this machine's zone."""
    seconds, rest = divmod(round(epoch_ms), 1000)
    return datetime.fromtimestamp(seconds).astimezone().strftime("%H:%M:%S.") + f"{rest:03d}"


def date_and_time(epoch_ms: float) -> str:
    """ "2026-11-22 10:15:33 +0100", in this machine's zone."""
    return datetime.fromtimestamp(epoch_ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")


def instant(since_start_ms: float, started_at_ms: int) -> str:
    """Milliseconds since the start of the history, and the time of day where that is known."""
    offset = f"{since_start_ms:,.0f} ms"
    return f"{offset} ({time_of_day(started_at_ms + since_start_ms)})" if started_at_ms else offset


def witness_line(line: str, started_at_ms: int) -> str:
    """A line of a witness with "t=11.204" turned into milliseconds and the time of day; "end" stands below them."""
    if (end := _WITNESS_END.match(line)) is not None:
        day = " " * len(f"  {time_of_day(started_at_ms)}") if started_at_ms else ""
        return f"{end.group(1)}{'end':>12}{day}  {line[end.end() :]}"
    found = _WITNESS_TIME.match(line)
    if found is None:
        return line
    since_ms = float(found.group(2)) * 1000
    day = f"  {time_of_day(started_at_ms + since_ms)}" if started_at_ms else ""
    return f"{found.group(1)}{since_ms:>9,.0f} ms{day}  {line[found.end() :]}"


def title(name: str) -> str:
    """ "acked_records_survive" as words: "Acked records survive"."""
    words = name.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]
