"""Fetch sessions (KIP-227): the broker remembers which partitions a client reads, and answers only for changed ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import ZERO_UUID

CLOSES, OPENS = -1, 0
"""Session epochs: -1 reads without a session (and closes the given one), 0 requests a new session."""
NOTHING_TOLD: Final = (-1, -1)

Place = tuple[Any, int]
"""(topic name or id, partition), as the request names the topic."""


@dataclass(slots=True)
class Session:
    """One fetch session."""

    by_id: bool
    """Whether its requests name topics by id (Fetch 13 and later)."""
    epoch: int = 1
    """The session epoch that the next request must have."""
    asked: dict[Place, Any] = field(default_factory=dict)
    """The partitions of the session: place → the FetchPartition last requested."""
    told: dict[Place, tuple[int, int]] = field(default_factory=dict)
    """Place → (high watermark, log start offset) last answered. The next response contains partitions not in here."""


class Sessions:
    """All open sessions of the sequence."""

    def __init__(self) -> None:
        self.open: dict[int, Session] = {}
        self.doubtful: list[int] = []
        """Ids of sessions whose state the model no longer knows; they are not judged."""

    def asked(self, request: Any, version: int) -> tuple[Session | None, frozenset[int], dict[Place, Any]]:
        """(session, error codes allowed for the whole response, requested partitions) of a Fetch."""
        wanted = dict(places(request.topics, version))
        if request.session_epoch in (CLOSES, OPENS):
            self.open.pop(request.session_id, None)
            return None, _codes(wanted), wanted
        session = self.open.get(request.session_id)
        if session is None:
            return None, frozenset({int(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)}), {}
        if session.epoch != request.session_epoch:
            return None, frozenset({int(ErrorCode.INVALID_FETCH_SESSION_EPOCH)}), {}
        if session.by_id != (version >= 13):
            return None, frozenset({int(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)}), {}
        return session, _codes([*session.asked, *wanted]), wanted

    def forget(self, session_id: int) -> None:
        """Closes a session, if it is open."""
        self.open.pop(session_id, None)


def _codes(asked: Iterable[Place]) -> frozenset[int]:
    """The error codes allowed for a whole response. Kafka may fail if one of the topics has the zero id."""
    is_nameless = any(topic == ZERO_UUID for topic, _ in asked)
    return frozenset({0, int(ErrorCode.UNKNOWN_SERVER_ERROR)} if is_nameless else {0})


def places(topics: Any, version: int) -> list[tuple[Place, Any]]:
    """(place, FetchPartition) for each partition of a Fetch."""
    return [
        ((topic.topic_id if version >= 13 else topic.topic, part.partition), part)
        for topic in topics
        for part in topic.partitions
    ]


def forgotten(request: Any, version: int) -> list[Place]:
    """The places that a Fetch removes from its session (forgotten_topics_data)."""
    return [
        (topic.topic_id if version >= 13 else topic.topic, partition)
        for topic in request.forgotten_topics_data
        for partition in topic.partitions
    ]
