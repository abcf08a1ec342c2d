"""Error codes that no check can provoke, as checks/unprovoked.toml lists them: for a reason.

The list is held to both ways by `python -m harness account RUN --strict`: a code that an API's header lists must be
provoked on every target or stand here, and one that stands here must not be provoked.
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
"""What an entry must say; `target`, a glob, limits it to some targets."""


class UnprovokedTrouble(ValueError):
    """The file cannot be used: where, what, what to do; one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unprovoked:
    """One error code of one API that is not provoked, and why."""

    api: str
    code: int
    reason: str
    target: str = "*"

    def covers(self, api: str, code: int, target: str) -> bool:
        """Whether it is about a code of an API on a target."""
        return (self.api, self.code) == (api, code) and fnmatchcase(target, self.target)


def read_unprovoked(path: Path) -> tuple[Unprovoked, ...]:
    """The entries of a file; none when it does not exist. UnprovokedTrouble when it is not as it should be."""
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
