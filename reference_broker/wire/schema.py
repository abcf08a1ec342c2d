"""What a generated message class knows about its fields: in which versions they stand, and how they are written."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Protocol

LAST: Final = 0x7FFF
"""The open end of a version range, as in "3+"."""

Versions = tuple[int, int]
"""First and last version, inclusive; (0, -1) holds none."""

NEVER: Final[Versions] = (0, -1)
ALWAYS: Final[Versions] = (0, LAST)


class Field(NamedTuple):
    """One field of a schema.

    `kind` is a primitive's name, or "struct"; an array has `is_array` and its element's kind. `of` is the class of a
    struct. `flexible` overrides the message's flexible versions (None: as the message).
    """

    name: str
    kind: str
    versions: Versions = ALWAYS
    is_array: bool = False
    of: Any = None
    nullable: Versions = NEVER
    tagged: Versions = NEVER
    tag: int = -1
    default: Any = None
    ignorable: bool = False
    flexible: Versions | None = None
    entity: str = ""
    is_map_key: bool = False


class Message(Protocol):
    """What every generated class carries beside its fields."""

    FIELDS: tuple[Field, ...]
    FLEXIBLE: Versions

    @property
    def unknown_tagged_fields(self) -> tuple[tuple[int, bytes], ...]:
        """Tagged fields that this schema does not know, kept for the round trip."""


def is_in(version: int, versions: Versions) -> bool:
    """Whether a version lies in a range."""
    return versions[0] <= version <= versions[1]
