"""What this broker's replicas exchange with other nodes: fetches with leaders, ISR changes with the controller.

Source: Kafka documentation, "Replication", replica.lag.time.max.ms: who lags is looked at every half of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reference_broker.effects import Outbox
from reference_broker.environment import Now
from reference_broker.metadata.image import BROKER, MetadataImage
from reference_broker.replication.alter_partition import AlterPartitions, ControllerChannel
from reference_broker.replication.fetcher import FetcherSettings
from reference_broker.replication.fetchers import Fetchers
from reference_broker.replication.follower import Follower
from reference_broker.replication.leader import Leader
from reference_broker.replication.local_broker import LocalBroker
from reference_broker.replication.partition import Partition
from reference_broker.replication.throttle import ByteRate, Throttle, Throttles
from reference_broker.settings.broker_config import BrokerConfig

if TYPE_CHECKING:
    from reference_broker.metadata.brokers import BrokerImage


@dataclass(slots=True)
class ReplicaExchange:
    """Made by `begin`. Without a channel to the controller no ISR is ever changed from here."""

    local: LocalBroker
    fetchers: Fetchers
    alter_partitions: AlterPartitions | None
    _next_lag_check_ms: int = 0

    @classmethod
    def begin(
        cls,
        *,
        config: BrokerConfig,
        outbox: Outbox,
        channel: ControllerChannel | None,
        on_notice: Callable[[str], None],
        now: Now,
    ) -> ReplicaExchange:
        """By the settings that the broker begins with: Kafka changes none of these while it runs, but
        num.replica.fetchers."""
        number = config.number
        local = LocalBroker(
            config.node_id,
            listener=config.inter_broker_listener,
            replica_lag_time_max_ms=number("replica.lag.time.max.ms"),
            touch=Partition.touch,
            on_event=on_notice,
            throttles=Throttles(
                leader=Throttle(rate=_rate(config, "replication")),
                follower=Throttle(rate=_rate(config, "replication")),
                move=Throttle(rate=_rate(config, "alter.log.dirs.replication")),
            ),
        )
        settings = FetcherSettings(
            wait_max_ms=number("replica.fetch.wait.max.ms"),
            min_bytes=number("replica.fetch.min.bytes"),
            max_bytes=number("replica.fetch.max.bytes"),
            response_max_bytes=number("replica.fetch.response.max.bytes"),
            backoff_ms=number("replica.fetch.backoff.ms"),
            timeout_ms=number("replica.socket.timeout.ms"),
        )
        exchange = cls(
            local,
            Fetchers(local, outbox, settings, number("num.replica.fetchers")),
            None if channel is None else AlterPartitions(local, channel),
        )
        exchange._next_lag_check_ms = now.monotonic_ms + exchange._lag_check_interval_ms
        return exchange

    @property
    def _lag_check_interval_ms(self) -> int:
        return max(1, self.local.replica_lag_time_max_ms // 2)

    def on_brokers(self, brokers: Mapping[int, BrokerImage]) -> None:
        """The brokers that are registered now."""
        self.local.brokers = brokers

    def on_configs(self, image: MetadataImage) -> None:
        """The dynamic settings of all brokers, and of this one, may have changed."""
        own = str(self.local.node_id)
        self.local.throttles.configure(image.config(BROKER, ""), image.config(BROKER, own))

    def on_registered(self, broker_epoch: int, now: Now) -> None:
        """This broker is registered under an epoch."""
        self.local.broker_epoch = broker_epoch
        self.fetchers.on_time(now)

    def follow(self, partition: Partition, now: Now) -> None:
        """Fetch a partition if another broker leads it, else not."""
        if isinstance(partition.role, Follower):
            self.fetchers.follow(partition.role, now)
        else:
            self.forget(partition)

    def forget(self, partition: Partition) -> None:
        """Fetch a partition no more."""
        self.fetchers.forget((partition.topic_id, partition.index))

    def on_flushed(self, partition: Partition) -> None:
        """A follower may tell its leader that it has what is flushed now."""
        if isinstance(partition.role, Follower):
            self.fetchers.look_at((partition.topic_id, partition.index))

    def next_deadline_ms(self) -> int:
        """When `on_time` must be called (monotonic)."""
        earliest, fetching_ms = self._next_lag_check_ms, self.fetchers.next_deadline_ms()
        asking_ms = None if self.alter_partitions is None else self.alter_partitions.next_deadline_ms
        if fetching_ms is not None and fetching_ms < earliest:
            earliest = fetching_ms
        return earliest if asking_ms is None else min(earliest, asking_ms)

    def on_time(self, partitions: Iterable[Partition], now: Now) -> None:
        """Go on with fetching and with what the controller is asked for; look who lags."""
        self.fetchers.on_time(now)
        if self.alter_partitions is not None:
            self.alter_partitions.on_time(now)
        if now.monotonic_ms >= self._next_lag_check_ms:
            self._next_lag_check_ms = now.monotonic_ms + self._lag_check_interval_ms
            self.check_lag(partitions, now)

    def check_lag(self, partitions: Iterable[Partition], now: Now) -> None:
        """Have every leader look at its followers: time has passed, or brokers have come or gone."""
        for partition in partitions:
            if isinstance(partition.role, Leader):
                partition.role.check_lag(now)


def _rate(config: BrokerConfig, kind: str) -> ByteRate:
    """The windows over which bytes are counted."""
    seconds = config.number(f"{kind}.quota.window.size.seconds")
    return ByteRate(config.number(f"{kind}.quota.window.num"), seconds * 1000)
