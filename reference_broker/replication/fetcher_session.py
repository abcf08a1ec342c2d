"""A fetcher's side of its fetch session: only what changed since the last request is asked for again.

Source: KIP-227; KIP-516 (sessions by topic id).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from reference_broker.replication.isr import TopicIdPartition
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchTopic, ForgottenTopic
from reference_broker.wire.messages.fetch_response import FetchResponse
from reference_broker.wire.primitives import TopicName, Uuid

NO_SESSION: Final = 0
INITIAL_EPOCH: Final = 0
LARGEST_EPOCH: Final = (1 << 31) - 1

Wanted = Mapping[TopicIdPartition, FetchPartition]


@dataclass(slots=True)
class FetcherSession:
    """`id` and `epoch` are those of the next request; with epoch 0 it is a full one, which begins a session."""

    id: int = NO_SESSION
    epoch: int = INITIAL_EPOCH
    _known: dict[TopicIdPartition, FetchPartition] = field(default_factory=dict)

    def next(
        self, wanted: Wanted, names: Mapping[Uuid, str]
    ) -> tuple[tuple[FetchTopic, ...], tuple[ForgottenTopic, ...]]:
        """What the next request has to say for the leader to know all that is wanted, and what is wanted no more."""
        known = {} if self.epoch == INITIAL_EPOCH else self._known
        news = {key: ask for key, ask in wanted.items() if known.get(key) != ask}
        gone = [key for key in known if key not in wanted]
        self._known = dict(wanted)
        return _topics(news, names), _forgotten(gone, names)

    def on_response(self, response: FetchResponse) -> bool:
        """Whether its partitions count; where not, the next request is a full one."""
        if response.error_code == ErrorCode.FETCH_SESSION_ID_NOT_FOUND:
            self.id, self.epoch = NO_SESSION, INITIAL_EPOCH
            return False
        if response.error_code != ErrorCode.NONE:
            self.on_lost()
            return False
        is_first = self.epoch == INITIAL_EPOCH
        if response.session_id == NO_SESSION or (not is_first and response.session_id != self.id):
            self.id, self.epoch = NO_SESSION, INITIAL_EPOCH
        else:
            self.id = response.session_id
            self.epoch = 1 if is_first or self.epoch == LARGEST_EPOCH else self.epoch + 1
        return True

    def on_lost(self) -> None:
        """No response came: it is not known what the leader remembers, so the next request begins a new session."""
        self.epoch = INITIAL_EPOCH


def _topics(wanted: Wanted, names: Mapping[Uuid, str]) -> tuple[FetchTopic, ...]:
    topics: dict[Uuid, list[FetchPartition]] = {}
    for (topic_id, _), ask in wanted.items():
        topics.setdefault(topic_id, []).append(ask)
    return tuple(
        FetchTopic(topic=TopicName(names.get(topic_id, "")), topic_id=topic_id, partitions=tuple(asks))
        for topic_id, asks in topics.items()
    )


def _forgotten(gone: Iterable[TopicIdPartition], names: Mapping[Uuid, str]) -> tuple[ForgottenTopic, ...]:
    topics: dict[Uuid, list[int]] = {}
    for topic_id, index in gone:
        topics.setdefault(topic_id, []).append(index)
    return tuple(
        ForgottenTopic(topic=TopicName(names.get(topic_id, "")), topic_id=topic_id, partitions=tuple(indexes))
        for topic_id, indexes in topics.items()
    )
