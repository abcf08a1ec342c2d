"""Has the partitions here that the metadata puts here: opens, leads, follows, configures and deletes them.

Source: KIP-631 (metadata tells the broker what to host).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from reference_broker.environment import Now
from reference_broker.log.config import LogConfig
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.steps import Steps
from reference_broker.metadata.node_config import NodeConfig
from reference_broker.metadata.publishing import Publisher
from reference_broker.metadata.topics import PartitionImage, TopicImage
from reference_broker.replication.backlog import Backlog
from reference_broker.replication.flushes import Flushes
from reference_broker.replication.moves import Moves
from reference_broker.replication.online_partitions import OnlinePartitions
from reference_broker.replication.partition import Partition
from reference_broker.replication.placement import Placement
from reference_broker.replication.replica_exchange import ReplicaExchange
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.refusal import KafkaError

AT_ONCE: Final = 25
"""Partitions that are brought up to date between other things."""


@dataclass(slots=True, kw_only=True)
class Opening:
    """A log that takes long to open, since it has to be recovered: it goes on between other things."""

    topic: TopicImage
    index: int
    is_new: bool
    steps: Steps[PartitionLog]


@dataclass(slots=True, kw_only=True)
class Hosting:
    """`online` are the partitions that are here, `behind` those that are not yet as the metadata says."""

    settings: NodeConfig
    publisher: Publisher
    online: OnlinePartitions
    behind: Backlog
    placement: Placement
    moves: Moves
    exchange: ReplicaExchange
    flushes: Flushes
    on_touched: Callable[[Partition], None]
    on_event: Callable[[str], None]
    opening: Opening | None = None

    @property
    def _node_id(self) -> int:
        return self.settings.static.node_id

    def drop_moved(self, topic: TopicImage, images: Iterable[PartitionImage], now: Now) -> None:
        """Delete the replicas that were reassigned to other brokers."""
        for image in images:
            if self._node_id not in image.replicas:
                self.finish_opening(topic.id, now)
            is_hosted = self.online.get_by_id(topic.id, image.index) is not None
            if is_hosted and self._node_id not in image.replicas:
                self.drop(topic, image.index, now)

    def drop(self, topic: TopicImage, index: int, now: Now) -> None:
        """A partition is not to be here any more: its log is deleted."""
        self.finish_opening(topic.id, now)
        key, offline = (topic.name, index), self.placement.offline
        self.behind.drop((topic.id, index))
        if offline.get(key) == topic.id:
            del offline[key]
        partition = self.online.get(*key)
        if partition is None or partition.topic_id != topic.id:
            return
        self.moves.cancel(key, now)
        folder = self.placement.remove(topic, index)
        self.online.remove(partition)
        partition.leave()
        self.exchange.forget(partition)
        try:
            folder.delete_log(topic.name, index, now.wall_ms)
        except KafkaError as error:
            self.on_event(f"the log of {topic.name}-{index} was not deleted: {error.detail}")

    def hurry(self, topic: str, index: int, now: Now) -> None:
        """Somebody asks for a partition: it is brought up to date before its turn."""
        image = self.publisher.image.topics.get(topic)
        if image is not None:
            self.hurry_by_id(image.id, index, now)

    def hurry_by_id(self, topic_id: Uuid, index: int, now: Now) -> None:
        """The same by its topic's id."""
        self.finish_opening(topic_id, now)
        if (topic_id, index) in self.behind:
            self._host(topic_id, index, now)
            self.finish_opening(topic_id, now)

    def finish_opening(self, topic_id: Uuid, now: Now) -> None:
        """What is about to be done to a topic needs its partition that is being opened."""
        while (opening := self.opening) is not None and opening.topic.id == topic_id:
            self._go_on(opening, now)

    def catch_up(self, now: Now) -> None:
        """Bring some partitions up to date, or go on with one that takes longer."""
        if self.opening is not None:
            self._go_on(self.opening, now)
            return
        for topic_id, index in self.behind.first(AT_ONCE):
            if (topic_id, index) in self.behind:
                self._host(topic_id, index, now)
            if self._is_opening():
                return

    def _is_opening(self) -> bool:
        return self.opening is not None

    def _host(self, topic_id: Uuid, index: int, now: Now) -> None:
        """Have a partition as the metadata says now, or begin to."""
        is_new = self.behind.take((topic_id, index))
        topic = self.publisher.image.topics.by_id.get(topic_id)
        image = None if topic is None else topic.partitions.get(index)
        if topic is None or image is None or self._node_id not in image.replicas:
            return
        key = (topic.name, index)
        partition = self.online.get(*key)
        if partition is not None:
            self._update(partition, topic, now)
        elif self.placement.offline.get(key) == topic_id:
            # The controller led it anew without knowing that its folder is lost.
            self.placement.has_lost |= image.leader == self._node_id
        else:
            if self.opening is not None:
                self.finish_opening(self.opening.topic.id, now)
            config = LogConfig.of(self.settings.log_settings(topic.name))
            steps = self.placement.opening(topic, image, config, is_new=is_new)
            self.opening = Opening(topic=topic, index=index, is_new=is_new, steps=steps)
            self._go_on(self.opening, now)
            if self._is_opening():
                self.behind.put_back((topic_id, index), is_new=is_new)

    def _go_on(self, opening: Opening, now: Now) -> None:
        """The next step; after the last one the partition is here, as the metadata says by then."""
        try:
            next(opening.steps)
        except StopIteration as end:
            self.opening = None
            log: PartitionLog = end.value
        except KafkaError as error:
            self.opening = None
            self._lose(opening.topic, opening.index, error)
            return
        else:
            return
        try:
            partition = self._opened(log, now, is_new=opening.is_new)
        except KafkaError as error:
            self._lose(opening.topic, opening.index, error)
            return
        self._update(partition, opening.topic, now)

    def _update(self, partition: Partition, topic: TopicImage, now: Now) -> None:
        """Lead or follow, as the metadata says; the topic may have gone while its log was opened."""
        now_topic = self.publisher.image.topics.by_id.get(topic.id)
        image = None if now_topic is None else now_topic.partitions.get(partition.index)
        if image is None or self._node_id not in image.replicas:
            return
        try:
            partition.update(image, now)
            self.exchange.follow(partition, now)
        except KafkaError as error:
            self._lose(topic, partition.index, error)

    def _lose(self, topic: TopicImage, index: int, error: KafkaError) -> None:
        self.on_event(f"{topic.name}-{index} is offline: {error.detail}")
        self.placement.mark_offline(topic, index)

    def _opened(self, log: PartitionLog, now: Now, *, is_new: bool) -> Partition:
        log.rolling.begin(now.wall_ms)

        def on_truncated() -> None:
            self.placement.note_truncation(partition.log)
            self.moves.on_truncated(partition)

        partition = Partition(
            log=log,
            local=self.exchange.local,
            alter_partitions=self.exchange.alter_partitions,
            on_truncated=on_truncated,
            on_touched=self.on_touched,
            begin_flush=lambda log: self.flushes.flush_log(self.placement.places[log.topic, log.partition], log),
            on_flushed=self.exchange.on_flushed,
        )
        self.online.add(partition)
        if not is_new:
            self.moves.resume(partition)
        return partition

    def reconfigure(self, topics: Iterable[str]) -> None:
        """The settings of topics have changed."""
        for name in topics:
            topic = self.publisher.image.topics.get(name)
            hosted = [self.online.get(name, index) for index in (topic.partitions if topic is not None else ())]
            config = LogConfig.of(self.settings.log_settings(name)) if any(hosted) else None
            for partition in hosted:
                if partition is not None and config is not None:
                    partition.reconfigure(config)
                    self.moves.reconfigure((name, partition.index), config)
