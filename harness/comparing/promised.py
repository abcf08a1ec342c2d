"""The API versions that a target must list, and how to treat those that it does not list.

A target whose release is known must list that release's APIs in all their versions; a missing one is a difference or a
known gap. If the release is not known (a cluster given by its address), checks of versions that are not listed are
skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.comparing.diff import MISSING, Difference
from harness.comparing.gaps import Gap
from harness.comparing.known_differences import KnownDifferences
from harness.hosts.lack import Lack, Means
from reference_broker.wire.api_keys import APIS

Versions = tuple[int, int]
"""(lowest, highest) version."""
NONE: Versions = (0, -1)
"""Versions of an API that is not listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """The API versions of a target's release."""

    target: str
    release: str = ""
    """The release, like "4.3.1"; empty if it is not known."""
    listed: Mapping[int, Versions] = field(default_factory=dict)
    """API key → versions that the release lists to clients; empty if the release is not known."""
    known: KnownDifferences = field(default_factory=KnownDifferences)

    def lack(self, api_key: int, version: int, found: Versions) -> Lack | None:
        """Why a check of an API version that the target does not list is skipped; None if the target should list it.

        `found` are the versions of the API that the target lists.
        """
        name = f"{_name(api_key)} v{version}"
        if not self.listed:
            return Lack(Means.API, f"{self.target} does not list {name} (it lists {told(found)})")
        low, high = self.listed.get(api_key, NONE)
        if not low <= version <= high:
            of_release = told((low, high))
            return Lack(Means.SOFTWARE, f"{name} is not in release {self.release} (it has {of_release})")
        gap = self.known.gap(self.target, api_key) if found == NONE else None
        return Lack(Means.API, f"{self.target} does not serve {gap.api}: {gap.reason}") if gap is not None else None

    def missing(self, found: Mapping[int, Versions]) -> list[tuple[Difference, Gap | None]]:
        """A difference for each API of the release that the target does not list in all versions, with the gap that
        accepts it, or None.

        `found`: API key → versions that the target lists.
        """
        missing = []
        for key, wanted in self.listed.items():
            here = found.get(key, NONE)
            if here == NONE or here[0] > wanted[0] or here[1] < wanted[1]:
                gap = self.known.gap(self.target, key) if here == NONE else None
                missing.append((self.difference(key, here), gap))
        return missing

    def difference(self, api_key: int, found: Versions) -> Difference:
        """The difference between the versions of an API in the release and on the target. The caller sets `check`."""
        return Difference(
            check="",
            api=_name(api_key),
            version=-1,
            field="(versions)",
            values={f"release {self.release}": told(self.listed.get(api_key, NONE)), self.target: told(found)},
            request="what ApiVersions lists",
        )


def told(versions: Versions) -> str:
    """Versions in words: "0 to 4", or "(missing)"."""
    return repr(MISSING) if versions == NONE else f"{versions[0]} to {versions[1]}"


def _name(api_key: int) -> str:
    return APIS[api_key].name if api_key in APIS else f"API {api_key}"
