"""Fetch sessions (KIP-227): a broker remembers what a reader asks for, and tells only what is new."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import ZERO_UUID

CLOSES, OPENS = -1, 0
"""Session epochs of requests that read without a session, and that ask for a new one."""
NOTHING_TOLD: Final = (-1, -1)

Place = tuple[Any, int]
"""(name or id of a topic, partition): as the request names it."""


@dataclass(slots=True)
class Session:
    """One session."""

    by_id: bool
    """Whether its requests name topics by id (Fetch 13 and later)."""
    epoch: int = 1
    """The next request's."""
    asked: dict[Place, Any] = field(default_factory=dict)
    """What is read: place → the request's partition."""
    told: dict[Place, tuple[int, int]] = field(default_factory=dict)
    """Place → (high watermark, log start offset) last told; absent ones are told in any case."""


class Sessions:
    """All sessions that the model saw opened."""

    def __init__(self) -> None:
        self.open: dict[int, Session] = {}
        self.doubtful: list[int] = []
        """Sessions of which the model has no opinion any more."""

    def asked(self, request: Any, version: int) -> tuple[Session | None, frozenset[int], dict[Place, Any]]:
        """(the session, codes allowed for the whole answer, what is read) of a Fetch."""
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
    """The codes allowed for a whole answer; Kafka may fail where a topic of the zero id is among others."""
    is_nameless = any(topic == ZERO_UUID for topic, _ in asked)
    return frozenset({0, int(ErrorCode.UNKNOWN_SERVER_ERROR)} if is_nameless else {0})


def places(topics: Any, version: int) -> list[tuple[Place, Any]]:
    """Each partition of a Fetch with the place that it is at."""
    return [
        ((topic.topic_id if version >= 13 else topic.topic, part.partition), part)
        for topic in topics
        for part in topic.partitions
    ]


def forgotten(request: Any, version: int) -> list[Place]:
    """The places that a request takes out of its session."""
    return [
        (topic.topic_id if version >= 13 else topic.topic, partition)
        for topic in request.forgotten_topics_data
        for partition in topic.partitions
    ]
