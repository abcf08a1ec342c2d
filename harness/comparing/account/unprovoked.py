"""Reads checks/unprovoked.toml: error codes that no check can provoke, with the reason.

`python -m harness account RUN --strict` enforces the list both ways: an error code that Kafka was recorded to answer
must be provoked on every target or be listed here, one that only a header of the reference lists must be listed here,
and one listed here must not be provoked.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from harness.comparing.entries import read_entries
from reference_broker.wire.api_keys import APIS
from reference_broker.wire.errors import ErrorCode

UNPROVOKED_FILE: Final = "unprovoked.toml"
KEYS: Final = {"api", "code", "reason"}
"""The required keys of an entry. The optional key `target`, a glob, limits it to some targets."""


class UnprovokedTrouble(ValueError):
    """The file is invalid. The message is one line: where, what, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unprovoked:
    """An error code of an API that cannot be provoked, and why."""

    api: str
    code: int
    reason: str
    target: str = "*"

    def covers(self, api: str, code: int, target: str) -> bool:
        """Whether this entry applies to an error code of an API on a target."""
        return (self.api, self.code) == (api, code) and fnmatchcase(target, self.target)


def read_unprovoked(path: Path) -> tuple[Unprovoked, ...]:
    """Reads the entries of a file; none if it does not exist. UnprovokedTrouble if it is invalid."""
    (entries,) = read_entries(path, "unprovoked", trouble=UnprovokedTrouble)
    return tuple(made for number, entry in enumerate(entries, 1) for made in _entry(f"{path}: entry {number}", entry))


def _entry(where: str, entry: Any) -> list[Unprovoked]:
    if not isinstance(entry, dict) or not KEYS <= set(entry) <= KEYS | {"target"}:
        raise UnprovokedTrouble(f"{where}: it must have {', '.join(sorted(KEYS))}, and may have target")
    apis = entry["api"] if isinstance(entry["api"], list) else [entry["api"]]
    names = {api.name for api in APIS.values()}
    for api in apis:
        if api not in names:
            raise UnprovokedTrouble(f"{where}: unknown API {api!r}")
    if entry["code"] not in ErrorCode.__members__:
        raise UnprovokedTrouble(f"{where}: code must be the name of an error, not {entry['code']!r}")
    if not isinstance(entry["reason"], str) or not entry["reason"].strip():
        raise UnprovokedTrouble(f"{where}: reason must be a non-empty string")
    code, target = int(ErrorCode[entry["code"]]), str(entry.get("target", "*"))
    return [Unprovoked(api=api, code=code, reason=entry["reason"], target=target) for api in apis]
