"""APIs that the reference does not support yet: the [[gap]] entries of checks/known_differences.toml.

If a target does not list an API of its release, that is a difference. A gap accepts it, with a reason and a review
date. A gap for an API that the target does list is an error.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from harness.comparing.diff import MISSING, Difference
from harness.targets.target_kind import parts_of
from reference_broker.wire.api_keys import APIS, ApiKey

KEYS: Final = {"apis", "target", "reason", "review_by"}
BY_NAME: Final = {api.name: key for key, api in APIS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One API that a target does not support."""

    api: str
    target: str
    """A glob for the target's name."""
    reason: str
    review_by: datetime.date
    number: int = 1
    """The position of its entry among the gaps in the file, from 1."""

    source = "gap"

    def is_of(self, target: str, api_key: int) -> bool:
        """Whether this gap is for an API on a target, given by its name in the file."""
        return BY_NAME[self.api] == api_key and fnmatchcase(target, self.target)

    def matches(self, difference: Difference, targets: Sequence[str]) -> bool:
        """Whether this gap accepts a difference: one between ApiVersions answers, where the API is missing for the
        gap's target. `targets` are those of the difference, by their names in the file."""
        return difference.api == APIS[ApiKey.API_VERSIONS].name and any(
            difference.field == f"api_keys[{self.api}]" and said == repr(MISSING) and fnmatchcase(part, self.target)
            for target, said in zip(targets, difference.values.values(), strict=True)
            for part in parts_of(target)  # what one node of a mixed cluster lacks, the cluster lacks
        )

    def __str__(self) -> str:
        return f"gap {self.number} ({self.api})"


def gaps_of(where: str, number: int, entry: Any) -> Iterator[Gap]:
    """The gaps of one entry, one for each of its APIs. ValueError, with one line, if the entry is invalid."""
    if not isinstance(entry, dict) or set(entry) != KEYS:
        raise ValueError(f"{where}: must have the keys {', '.join(sorted(KEYS))}, and no others")
    for key in ("target", "reason"):
        if not isinstance(entry[key], str) or not entry[key].strip():
            raise ValueError(f"{where}: {key} must be a non-empty string")
    if not isinstance(entry["review_by"], datetime.date) or isinstance(entry["review_by"], datetime.datetime):
        raise ValueError(f"{where}: review_by must be a date without quotes, for instance 2027-06-30")
    if not isinstance(entry["apis"], list) or not entry["apis"]:
        raise ValueError(f'{where}: apis must be a list of API names, for instance ["EndTxn"]')
    for api in entry["apis"]:
        if api not in BY_NAME:
            raise ValueError(f"{where}: unknown API {api!r}")
        yield Gap(api=api, target=entry["target"], reason=entry["reason"], review_by=entry["review_by"], number=number)
