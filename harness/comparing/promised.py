"""What a target must list, and what it means that it does not: a difference, a known gap, or nothing that is promised.

A target that says which release it is must list that release's APIs, in all their versions. A cluster that is given by
its address says nothing of its release: what it does not list is not asked of it.
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
"""First and last, both inclusive."""
NONE: Versions = (0, -1)
"""Of an API that is not served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """What the release of one target lists."""

    target: str
    release: str = ""
    """ "4.3.1"; empty where the target does not say."""
    listed: Mapping[int, Versions] = field(default_factory=dict)
    """By API key, for clients; empty where the release is not known."""
    known: KnownDifferences = field(default_factory=KnownDifferences)

    def lack(self, api_key: int, version: int, found: Versions) -> Lack | None:
        """Why a version that the target does not list is not asked: None where the target should list it.

        `found` is what the target lists of the API.
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
        """The APIs and versions of the release that a target does not list, each with the gap that accepts it.

        `found` is all that the target lists, by API key.
        """
        missing = []
        for key, wanted in self.listed.items():
            here = found.get(key, NONE)
            if here == NONE or here[0] > wanted[0] or here[1] < wanted[1]:
                gap = self.known.gap(self.target, key) if here == NONE else None
                missing.append((self.difference(key, here), gap))
        return missing

    def difference(self, api_key: int, found: Versions) -> Difference:
        """That the target lists less than its release does; whoever asks for it says in which check."""
        return Difference(
            check="",
            api=_name(api_key),
            version=-1,
            field="(versions)",
            values={f"release {self.release}": told(self.listed.get(api_key, NONE)), self.target: told(found)},
            request="what ApiVersions lists",
        )


def told(versions: Versions) -> str:
    """Versions in words: "0 to 4", or that there are none."""
    return repr(MISSING) if versions == NONE else f"{versions[0]} to {versions[1]}"


def _name(api_key: int) -> str:
    return APIS[api_key].name if api_key in APIS else f"API {api_key}"
