"""Java's properties format: what server.properties and meta.properties are written in.

Source: the documentation of java.util.Properties.load.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

BLANK: Final = " \t\f"
ESCAPES: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def text_of(raw: bytes) -> str:
    """The text of a file. ValueError where it is not in UTF-8: it is a file of another kind."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is no text in UTF-8: byte {error.start} is 0x{raw[error.start]:02x}") from error


def parse_properties(text: str) -> dict[str, str]:
    """All settings of a file; of a key that stands twice the last value counts. ValueError for a torn \\u escape."""
    settings: dict[str, str] = {}
    for line in _logical_lines(text):
        key, value = _split(line)
        settings[_unescape(key)] = _unescape(value)
    return settings


def format_properties(settings: Mapping[str, str], comment: str = "") -> str:
    """A file with these settings, in their order; the comment stands above them."""
    lines = [f"#{comment}"] if comment else []
    lines += [f"{_escape(key, is_key=True)}={_escape(value, is_key=False)}" for key, value in settings.items()]
    return "\n".join(lines) + "\n"


def _logical_lines(text: str) -> Iterator[str]:
    """Lines without comments and blank ones; a line that ends in an odd number of backslashes goes on in the next."""
    parts: list[str] = []
    for natural in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        line = natural.lstrip(BLANK)
        if not parts and (not line or line[0] in "#!"):
            continue
        slashes = len(line) - len(line.rstrip("\\"))
        if slashes % 2:
            parts.append(line[:-1])
            continue
        yield "".join([*parts, line])
        parts = []
    if parts:
        yield "".join(parts)


def _split(line: str) -> tuple[str, str]:
    """Key and value: divided by the first '=', ':' or blank that no backslash hides."""
    at = 0
    while at < len(line) and line[at] not in "=:" + BLANK:
        at += 2 if line[at] == "\\" else 1
    key, rest = line[:at], line[at:].lstrip(BLANK)
    if rest[:1] in ("=", ":") and rest:
        rest = rest[1:].lstrip(BLANK)
    return key, rest


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    out: list[str] = []
    at = 0
    while at < len(text):
        if text[at] != "\\":
            out.append(text[at])
            at += 1
            continue
        letter = text[at + 1 : at + 2]
        if letter == "u":
            out.append(chr(int(text[at + 2 : at + 6], 16)))
            at += 6
        else:
            out.append(ESCAPES.get(letter, letter))
            at += 2
    return "".join(out)


def _escape(text: str, *, is_key: bool) -> str:
    out = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r").replace("\f", "\\f")
    for letter in "=:#!":
        out = out.replace(letter, "\\" + letter)
    if is_key:
        return out.replace(" ", "\\ ")
    return "\\" + out if out.startswith(" ") else out
