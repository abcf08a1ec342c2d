"""Everything by which a broker takes part in its cluster, over its channels to the active controller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from reference_broker.broker.channel import ControllerChannel
from reference_broker.broker.directories import DirectoryAssignments, Replica
from reference_broker.broker.forwarding import Forwarding
from reference_broker.broker.lifecycle import BrokerLifecycle, LifecycleListener, LifecycleSettings
from reference_broker.broker.producer_ids import ProducerIds
from reference_broker.broker.topic_creation import TopicCreation
from reference_broker.effects import Outbox, Peer
from reference_broker.environment import Now, Random
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.waiting import NEVER_MS
from reference_broker.wire.messages.broker_registration_request import BrokerRegistrationRequest

FORWARDING_RETRY_MS: Final = 60_000
"""What forwarded requests, assignments of folders and blocks of producer ids may take."""


class Broker:
    """The parts of a broker's life, each with the channel that Kafka gives it, so that none waits for another.

    `alter_partition` is the channel for changes of an ISR: those are tried until they have an answer. `on_time` must be
    called at `next_deadline_ms`, and `follow` whenever another node becomes the active controller.
    """

    def __init__(
        self,
        *,
        config: BrokerConfig,
        registration: BrokerRegistrationRequest,
        outbox: Outbox,
        random: Random,
        metadata_offset: Callable[[], int],
        may_cordon: Callable[[], bool],
        is_replica: Callable[[Replica], bool],
        listener: LifecycleListener,
        log: Callable[[str, str], None],
    ) -> None:
        """`metadata_offset`, `may_cordon` and `listener` are those of `BrokerLifecycle`, `is_replica` that of
        `DirectoryAssignments`."""

        def channel(name: str, retry_timeout_ms: int) -> ControllerChannel:
            request_timeout_ms = config.number("controller.socket.timeout.ms")
            return ControllerChannel(
                name, outbox=outbox, request_timeout_ms=request_timeout_ms, retry_timeout_ms=retry_timeout_ms
            )

        heartbeat = channel("heartbeat", config.number("broker.heartbeat.interval.ms"))
        forwarding = channel("forwarding", FORWARDING_RETRY_MS)
        directories = channel("directory-assignments", FORWARDING_RETRY_MS)
        self.alter_partition = channel("alter-partition", NEVER_MS)
        self._channels = (heartbeat, forwarding, directories, self.alter_partition)
        self.lifecycle = BrokerLifecycle(
            registration=registration,
            settings=LifecycleSettings(
                heartbeat_interval_ms=config.number("broker.heartbeat.interval.ms"),
                registration_timeout_ms=config.number("initial.broker.registration.timeout.ms"),
                log_dir_failure_timeout_ms=config.number("log.dir.failure.timeout.ms"),
            ),
            channel=heartbeat,
            metadata_offset=metadata_offset,
            may_cordon=may_cordon,
            listener=listener,
            log=log,
        )
        self.directories = DirectoryAssignments(
            broker_id=registration.broker_id,
            broker_epoch=lambda: self.lifecycle.broker_epoch,
            is_replica=is_replica,
            channel=directories,
            random=random,
            log=log,
        )
        self.producer_ids = ProducerIds(
            broker_id=registration.broker_id,
            broker_epoch=lambda: self.lifecycle.broker_epoch,
            channel=forwarding,
            log=log,
        )
        self.forwarding = Forwarding(forwarding, log)
        self.topic_creation = TopicCreation(forwarding, log)

    def follow(self, controller: Peer | None, now: Now) -> None:
        """The active controller is this one now; None while none is known."""
        for channel in self._channels:
            channel.follow(controller, now)

    @property
    def next_deadline_ms(self) -> int:
        """When `on_time` must be called at the latest (monotonic)."""
        heartbeat, forwarding, directories, alter_partition = self._channels
        return min(
            heartbeat.next_deadline_ms,
            forwarding.next_deadline_ms,
            directories.next_deadline_ms,
            alter_partition.next_deadline_ms,
            self.lifecycle.next_deadline_ms,
            self.directories.next_deadline_ms,
        )

    def on_time(self, now: Now) -> None:
        """Do what is due."""
        for channel in self._channels:
            if channel.next_deadline_ms <= now.monotonic_ms:
                channel.on_time(now)
        self.lifecycle.on_time(now)
        self.directories.on_time(now)
