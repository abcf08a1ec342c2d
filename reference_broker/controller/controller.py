"""The active controller: decides over the pending image, appends, and answers once the records are committed.

The pending image is ahead of the commit: decisions build on each other, while every other part of the node, and every
other node, sees only what is committed. A controller that resigns drops it. Source: KIP-631, KIP-868.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from reference_broker.controller.activation import bootstrap_records
from reference_broker.controller.config_admin import ConfigAdmin
from reference_broker.controller.config_description import ConfigDescriptions
from reference_broker.controller.decision import Decision, MetadataLog
from reference_broker.controller.pending import EntryLog, MetadataEntry, PendingImage
from reference_broker.controller.periodic_tasks import PeriodicTasks
from reference_broker.controller.sessions import BrokerSessions
from reference_broker.controller.topic_admin import TopicAdmin
from reference_broker.environment import Now, Random
from reference_broker.metadata.image import MetadataImage
from reference_broker.metadata.node_config import NodeConfig
from reference_broker.metadata.publishing import Committed, Publisher, SnapshotPlace
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.state_machine.machine import StateMachine
from reference_broker.waiting import NEVER_MS
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.abort_transaction_record import AbortTransactionRecord
from reference_broker.wire.messages.no_op_record import NoOpRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.refusal import KafkaError

PRODUCER_ID_BLOCK: Final = 1000


class Controller:
    """Listens to the metadata quorum, after the publisher. Where this node does not lead it refuses every decision.

    What appends raises KafkaError (NOT_CONTROLLER) where the leadership is lost, and OSError where the log cannot be
    written: the node must then halt.
    """

    def __init__(
        self,
        *,
        log: MetadataLog,
        publisher: Publisher,
        settings: NodeConfig,
        random: Random,
        bootstrap: Sequence[VersionedRecord] = (),
    ) -> None:
        """`bootstrap` is what the storage tool left for the first leader."""
        self.log, self.publisher, self.settings, self.random = log, publisher, settings, random
        self.release = settings.static.release
        self._idle_interval_ms = settings.static.number("metadata.max.idle.interval.ms")
        self._bootstrap = tuple(bootstrap)
        self._machine: StateMachine[PendingImage, MetadataEntry] | None = None
        self._tasks: PeriodicTasks | None = None
        self._committed_offset = -1
        self._last_append_ms = 0

    # -- what it sees -------------------------------------------------------------------------------------------

    @property
    def image(self) -> MetadataImage:
        """The metadata as committed."""
        return self.publisher.image

    @property
    def is_active(self) -> bool:
        """Whether this node leads the metadata quorum and may decide."""
        return self._machine is not None

    @property
    def is_needed(self) -> bool:
        """Whether somebody waits here for what was decided, or a broker for leave to stop."""
        return self._machine is not None and (self._machine.is_waited_for or self.sessions.has_stopping)

    @property
    def epoch(self) -> int:
        """The epoch in which this node leads; -1 where it does not."""
        return -1 if self._machine is None else self._machine.epoch

    @property
    def _led(self) -> StateMachine[PendingImage, MetadataEntry]:
        if self._machine is None:
            raise KafkaError(ErrorCode.NOT_CONTROLLER, "this node is not the active controller")
        return self._machine

    @property
    def pending(self) -> MetadataImage:
        """The metadata with all that was decided; KafkaError (NOT_CONTROLLER) where this node does not lead."""
        return self._led.state.image

    @property
    def sessions(self) -> BrokerSessions:
        """The brokers' sessions; KafkaError (NOT_CONTROLLER) where this node does not lead."""
        if self._tasks is None:
            raise KafkaError(ErrorCode.NOT_CONTROLLER, "this node is not the active controller")
        return self._tasks.sessions

    @property
    def config(self) -> BrokerConfig:
        """The node's settings, dynamic ones included."""
        return self.settings.current

    @property
    def static_config(self) -> BrokerConfig:
        """The settings of the node's file."""
        return self.settings.static

    @property
    def descriptions(self) -> ConfigDescriptions:
        """Describes the committed configurations."""
        return ConfigDescriptions(self.image, self.settings)

    def topics(self, image: MetadataImage) -> TopicAdmin:
        """Decides about topics over an image."""
        return TopicAdmin(image, self.settings, self.random)

    def configs(self, image: MetadataImage) -> ConfigAdmin:
        """Decides about configurations over an image."""
        return ConfigAdmin(image, self.config)

    # -- deciding -----------------------------------------------------------------------------------------------

    def submit(self, decide: Callable[[MetadataImage], Decision], now: Now, *, timeout_ms: int | None = None) -> Any:
        """Decide over the pending image and append; the response once it is committed, until then a `Later`.

        KafkaError from the decider passes through, and nothing is appended. `timeout_ms` is how long a request may wait
        until it is begun, as in Kafka: one without time is refused with REQUEST_TIMED_OUT and decides nothing; what was
        begun is waited for as long as this node leads.
        """
        machine = self._led
        if timeout_ms is not None and timeout_ms <= 0:
            raise KafkaError(ErrorCode.REQUEST_TIMED_OUT)
        decision = decide(self.pending)
        if decision.records:
            self._append(MetadataEntry(decision.records), now)
        # A decision without records may rest on records that are not committed yet: it waits for them, too.
        return machine.answer(decision.response, now)

    def commit(self, records: Sequence[VersionedRecord], now: Now) -> int:
        """Append records that nobody waits for; the offset of the last one."""
        return self._append(MetadataEntry(records), now)

    def _append(self, entry: MetadataEntry, now: Now) -> int:
        """Apply the records to the pending image, then append them as one batch: what fails leaves nothing behind."""
        last = self._led.append(entry, now)
        self._last_append_ms = now.monotonic_ms
        self._drop_pending_if_committed()
        return last

    # -- what the quorum tells ----------------------------------------------------------------------------------

    def on_commit(self, batches: Sequence[Committed], now: Now) -> None:
        """Answer whoever waited for these records."""
        self._on_committed(batches[-1].last_offset, now)

    def on_snapshot(self, snapshot_id: SnapshotPlace, records: Iterable[VersionedRecord], now: Now) -> None:
        """A snapshot stands for all records before its end."""
        self._on_committed(snapshot_id.end_offset - 1, now)

    def _on_committed(self, offset: int, now: Now) -> None:
        self._committed_offset = offset
        self._drop_pending_if_committed()
        if self._machine is not None:
            self._machine.on_committed(offset, now)

    def _drop_pending_if_committed(self) -> None:
        """Go on from the committed image where it holds all that was decided: one image is kept then, not two."""
        if self._machine is not None and self.pending.offset <= self.publisher.image.offset:
            self._machine.state.restore(self.publisher.image)

    def on_leader(self, leader_id: int | None, epoch: int, now: Now) -> None:
        """Become active, having been told all that was committed before; or resign."""
        if self.is_active and (leader_id != self.static_config.node_id or epoch != self.epoch):
            self._resign(now)
        if not self.is_active and leader_id == self.static_config.node_id:
            self._activate(epoch, now)

    def _activate(self, epoch: int, now: Now) -> None:
        self._machine = StateMachine(
            PendingImage(self.image), EntryLog(self.log), epoch=epoch, committed_offset=self._committed_offset
        )
        self._last_append_ms = now.monotonic_ms
        self._tasks = PeriodicTasks(lambda: self.config, self.image, now)
        if self.publisher.transaction is not None:
            record = AbortTransactionRecord(reason="the controller that began it is gone")
            self._append(MetadataEntry(((record, 0),), transaction=self.publisher.transaction), now)
        if not self.pending.features:
            self.commit(bootstrap_records(self._bootstrap, self.static_config), now)

    def _resign(self, now: Now) -> None:
        """Forget what was not committed: the next leader may have dropped it."""
        machine, self._machine, self._tasks = self._machine, None, None
        if machine is not None:
            machine.resign(KafkaError(ErrorCode.NOT_CONTROLLER, "the controller has resigned"), now)

    # -- time ---------------------------------------------------------------------------------------------------

    def next_deadline_ms(self) -> int:
        """When `on_time` must be called next (monotonic)."""
        if self._tasks is None:
            return NEVER_MS
        idle_at_ms, due_ms = self._idle_at_ms, self._tasks.next_deadline_ms()
        return idle_at_ms if idle_at_ms < due_ms else due_ms

    @property
    def _idle_at_ms(self) -> int:
        return self._last_append_ms + self._idle_interval_ms if self._idle_interval_ms else NEVER_MS

    def on_time(self, now: Now) -> None:
        """What is due by time; a NoOp record when the log was idle: followers see that the leader lives (KIP-835)."""
        if self._tasks is None:
            return
        late_ms = now.monotonic_ms - self.next_deadline_ms()
        if late_ms * 4 > self.sessions.timeout_ms:
            self.sessions.postpone(late_ms)  # this node was busy or paused: heartbeats may wait to be read
        for decide in self._tasks.due(now):
            self.submit(decide, now)
        if now.monotonic_ms >= self._idle_at_ms:
            self._append(MetadataEntry(((NoOpRecord(), 0),), is_awaited=False), now)
