"""The fetchers of a broker: which of them fetches which partition, and when each goes on.

Source: Kafka documentation, num.replica.fetchers: a partition's place is by its topic and number, the same every time.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Final

from reference_broker.effects import Outbox
from reference_broker.environment import Now
from reference_broker.replication.fetcher import Fetcher, FetcherSettings
from reference_broker.replication.follower import Follower
from reference_broker.replication.isr import TopicIdPartition
from reference_broker.replication.local_broker import LocalBroker

NO_LEADER: Final = -1

FetcherId = tuple[int, int]
"""(leader broker, number below num.replica.fetchers)."""


@dataclass(slots=True)
class Fetchers:
    """`count` is num.replica.fetchers."""

    local: LocalBroker
    outbox: Outbox
    settings: FetcherSettings
    count: int = 1
    _fetchers: dict[FetcherId, Fetcher] = field(default_factory=dict)
    _places: dict[TopicIdPartition, FetcherId] = field(default_factory=dict)

    def follow(self, follower: Follower, now: Now) -> None:
        """Fetch a partition from the leader that its follower names now; from nobody where it names none."""
        log = follower.log
        key = (log.topic_id, log.partition)
        place = (follower.leader, (zlib.crc32(log.topic.encode()) + log.partition) % self.count)
        if self._places.get(key) != place:
            self.forget(key)
        if follower.leader == NO_LEADER:
            return
        self._places[key] = place
        fetcher = self._fetchers.get(place)
        if fetcher is None:
            fetcher = Fetcher(self.local, self.outbox, self.settings, *place)
            self._fetchers[place] = fetcher
        fetcher.add(follower)
        fetcher.go_on(now)

    def forget(self, key: TopicIdPartition) -> None:
        """Fetch a partition no more: it is led here, deleted, or its folder has failed."""
        place = self._places.pop(key, None)
        if place is not None:
            fetcher = self._fetchers[place]
            fetcher.remove(key)
            if not len(fetcher):
                del self._fetchers[place]

    def look_at(self, key: TopicIdPartition) -> None:
        """A partition may have to be asked for otherwise, or again."""
        place = self._places.get(key)
        if place is not None:
            self._fetchers[place].look_at(key)

    def look_at_all(self) -> None:
        """The logs of followers may have changed otherwise than by what was fetched."""
        for fetcher in self._fetchers.values():
            fetcher.look_at_all()

    def next_deadline_ms(self) -> int | None:
        """When `on_time` must be called (monotonic)."""
        earliest: int | None = None
        for fetcher in self._fetchers.values():
            at_ms = fetcher.next_deadline_ms()
            if at_ms is not None and (earliest is None or at_ms < earliest):
                earliest = at_ms
        return earliest

    def on_time(self, now: Now) -> None:
        """Have every fetcher go on."""
        for fetcher in list(self._fetchers.values()):
            fetcher.go_on(now)
