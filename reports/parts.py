"""The parts of a stored check: its phases, its links, its differences, and the known bug that broke it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.stored_values import listed, number, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A stretch of a check, in seconds since its start."""

    name: str
    start_s: float = 0.0
    stop_s: float = 0.0
    has_failed: bool = False
    """Whether the check ended in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field in which targets differ."""

    api: str = ""
    version: str = ""
    field: str = ""
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Target → what it answered."""
    exchange: str = ""
    """What was asked, in words."""
    rerun: str = ""
    accepted_by: str = ""
    """The entry of checks/known_differences.toml that accepts it; empty when none does."""

    @property
    def name(self) -> str:
        """Where it is: "OffsetFetch v8, groups[0].error_code"."""
        version = f" v{self.version.removeprefix('v')}" if self.version else ""
        return ", ".join(part for part in (f"{self.api}{version}".strip(), self.field) if part) or "a difference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where a check's promise, or the bug that it was written for, is told."""

    name: str
    """ "KIP-98", "KAFKA-17754", or the title of a page."""
    url: str
    kind: str = "link"
    """Allure's type: "link" of a document, "issue" of a bug."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBug:
    """A bug of Apache Kafka that broke a check, as checks/known_bugs.toml told it when the check ran."""

    id: str
    """ "KAFKA-19444"; a name of our own where no id is known."""
    sentence: str = ""
    releases: tuple[str, ...] = ()
    check: str = ""
    happened: str = ""
    link: str = ""
    script: str = ""


def stored_link(data: Mapping[str, Any]) -> Link:
    """A link of a check."""
    return Link(
        name=text(data.get("name")),
        url=text(data.get("url")),
        kind=text(data.get("kind")) or "link",
    )


def stored_bug(data: Any) -> KnownBug | None:
    """A known bug; None if there is none."""
    if not isinstance(data, Mapping):
        return None
    texts = {name: text(data.get(name)) for name in ("sentence", "check", "happened", "link", "script")}
    return KnownBug(
        id=text(data.get("id")) or "no id",
        releases=tuple(map(text, listed(data.get("releases")))),
        **texts,
    )


def stored_difference(data: Any) -> Difference:
    """A difference."""
    if not isinstance(data, Mapping):
        return Difference(field=text(data))
    values = data.get("values")
    pairs = values.items() if isinstance(values, Mapping) else ()
    return Difference(
        api=text(data.get("api")),
        version=text(data.get("version")),
        field=text(data.get("field")),
        values={text(target): text(value) for target, value in pairs},
        exchange=text(data.get("exchange")),
        rerun=text(data.get("rerun")),
        accepted_by=text(data.get("accepted_by")),
    )


def stored_phase(data: Any) -> Phase:
    """A phase of a check."""
    if not isinstance(data, Mapping):
        return Phase(name=text(data))
    return Phase(
        name=text(data.get("name")),
        start_s=number(data.get("start_s")),
        stop_s=number(data.get("stop_s")),
        has_failed=data.get("failed") is True,
    )
