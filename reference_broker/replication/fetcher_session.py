"""A fetcher's side of its fetch session: only what changed since the last request is asked for again, and what is new
to the leader comes some partitions at a time, so that no request keeps the leader from its other clients for long.

Source: KIP-227; KIP-516 (sessions by topic id).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from reference_broker.replication.isr import TopicIdPartition
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchTopic, ForgottenTopic
from reference_broker.wire.messages.fetch_response import FetchResponse
from reference_broker.wire.primitives import Uuid

NO_SESSION: Final = 0
INITIAL_EPOCH: Final = 0
LARGEST_EPOCH: Final = (1 << 31) - 1
NEW_AT_ONCE: Final = 500
"""Partitions that one request tells a leader of for the first time, at most."""


@dataclass(slots=True)
class FetcherSession:
    """`id` and `epoch` are those of the next request; with epoch 0 it is a full one, which begins a session.

    What an incremental request costs depends on what changed, not on how many partitions the session has.
    """

    id: int = NO_SESSION
    epoch: int = INITIAL_EPOCH
    _wanted: dict[TopicIdPartition, FetchPartition] = field(default_factory=dict)
    _new: dict[TopicIdPartition, None] = field(default_factory=dict)
    """Partitions of which the session knows nothing yet."""
    _news: dict[TopicIdPartition, None] = field(default_factory=dict)
    _gone: dict[TopicIdPartition, None] = field(default_factory=dict)
    """What the next request of this session has to say of the others: those that are asked for otherwise, and those
    that are wanted no more."""
    _is_granted: bool = True
    """Whether the leader has had room for a session: else every request must tell of all partitions."""

    def __len__(self) -> int:
        """How many partitions are wanted."""
        return len(self._wanted)

    @property
    def has_more(self) -> bool:
        """Whether partitions are wanted that no request has told the leader of."""
        return bool(self._new)

    def want(self, key: TopicIdPartition, ask: FetchPartition) -> None:
        """Ask for a partition so from the next request on."""
        before = self._wanted.get(key)
        if before == ask:
            return
        self._wanted[key] = ask
        if key in self._new:
            return
        if before is not None or key in self._gone:
            self._gone.pop(key, None)
            self._news[key] = None
        else:
            self._new[key] = None

    def forget(self, key: TopicIdPartition) -> None:
        """Ask for a partition no more."""
        if self._wanted.pop(key, None) is None:
            return
        if key in self._new:
            del self._new[key]
        else:
            self._news.pop(key, None)
            self._gone[key] = None

    def asked(self, key: TopicIdPartition) -> FetchPartition | None:
        """How a partition is asked for; None where it is not."""
        return None if key in self._new else self._wanted.get(key)

    def put_last(self, key: TopicIdPartition) -> None:
        """Have a partition come after all others in a full request."""
        if (ask := self._wanted.pop(key, None)) is not None:
            self._wanted[key] = ask

    def next(self) -> tuple[tuple[FetchTopic, ...], tuple[ForgottenTopic, ...]]:
        """What the next request says, and of what the leader is to think no more."""
        if self.epoch == INITIAL_EPOCH:
            # Those that no request has told of come first: a session that is often lost passes over none.
            self._new |= dict.fromkeys(self._wanted)
            self._news, self._gone = {}, {}
        now_told = list(islice(self._new, NEW_AT_ONCE if self._is_granted else None))
        for key in now_told:
            del self._new[key]
        said, forgotten = _topics(self._wanted, (*self._news, *now_told)), _forgotten(self._gone)
        self._news, self._gone = {}, {}
        return said, forgotten

    def on_response(self, response: FetchResponse) -> bool:
        """Whether its partitions count; where not, the next request is a full one."""
        if response.error_code == ErrorCode.FETCH_SESSION_ID_NOT_FOUND:
            self.id, self.epoch = NO_SESSION, INITIAL_EPOCH
            return False
        if response.error_code != ErrorCode.NONE:
            self.on_lost()
            return False
        is_first = self.epoch == INITIAL_EPOCH
        self._is_granted = response.session_id != NO_SESSION
        if response.session_id == NO_SESSION or (not is_first and response.session_id != self.id):
            self.id, self.epoch = NO_SESSION, INITIAL_EPOCH
        else:
            self.id = response.session_id
            self.epoch = 1 if is_first or self.epoch == LARGEST_EPOCH else self.epoch + 1
        return True

    def on_lost(self) -> None:
        """No response came: it is not known what the leader remembers, so the next request begins a new session."""
        self.epoch = INITIAL_EPOCH


def _topics(wanted: dict[TopicIdPartition, FetchPartition], keys: Iterable[TopicIdPartition]) -> tuple[FetchTopic, ...]:
    """By topic id: all releases among which this broker works (4.0 on) take it."""
    topics: dict[Uuid, list[FetchPartition]] = {}
    for key in keys:
        topics.setdefault(key[0], []).append(wanted[key])
    return tuple(FetchTopic(topic_id=topic_id, partitions=tuple(asks)) for topic_id, asks in topics.items())


def _forgotten(gone: Iterable[TopicIdPartition]) -> tuple[ForgottenTopic, ...]:
    topics: dict[Uuid, list[int]] = {}
    for topic_id, index in gone:
        topics.setdefault(topic_id, []).append(index)
    return tuple(ForgottenTopic(topic_id=topic_id, partitions=tuple(indexes)) for topic_id, indexes in topics.items())
