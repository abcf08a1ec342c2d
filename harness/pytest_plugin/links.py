"""Markers that say where a check's promise is told: KIPs, issues of Apache Kafka, documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

MARKERS = (
    "kip(*numbers): the Kafka Improvement Proposals that promise what a check claims: kip(98, 360)",
    "kafka_issue(*ids): issues of Apache Kafka that a check is about: kafka_issue('KAFKA-17754')",
    "document(title, url): a page that promises what a check claims",
)
_KIPS = "https://cwiki.apache.org/confluence/dosearchsite.action?queryString=KIP-{}"
"""A search, since the address of a KIP's page holds its title, which changes."""
_ISSUES = "https://issues.apache.org/jira/browse/{}"


@dataclass(frozen=True, slots=True)
class Link:
    """A name and its address; `kind` is Allure's: "link" or "issue"."""

    name: str
    url: str
    kind: str = "link"


def links_of(item: pytest.Item) -> tuple[Link, ...]:
    """What the markers of a check name, each once, nearest marker first."""
    return tuple({link.name: link for link in _links(item)}.values())


def _links(item: pytest.Item) -> Iterator[Link]:
    for marker in item.iter_markers("kip"):
        for number in marker.args:
            yield Link(f"KIP-{number}", _KIPS.format(number))
    for marker in item.iter_markers("kafka_issue"):
        for issue in marker.args:
            yield Link(str(issue), _ISSUES.format(issue), "issue")
    for marker in item.iter_markers("document"):
        title, url = marker.args
        yield Link(str(title), str(url))
