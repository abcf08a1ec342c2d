"""A broker's life: it registers with the active controller, sends heartbeats, is unfenced, and asks for leave to stop.

One request is on its way at a time. A registration or heartbeat that was refused or got no answer is sent again after
broker.heartbeat.interval.ms; so a broker that comes back while the session of its last incarnation lives waits until
that is over (DUPLICATE_BROKER_REGISTRATION). Source: KIP-631, KIP-841, KIP-858 (failed folders), KIP-966 (the epoch of
the last clean stop), KIP-1066 (cordoned folders).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from reference_broker.broker.channel import ControllerChannel, NoController
from reference_broker.broker.states import BrokerEvent, BrokerState, after
from reference_broker.effects import PeerLost
from reference_broker.environment import Now
from reference_broker.waiting import NEVER_MS
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.broker_heartbeat_request import BrokerHeartbeatRequest
from reference_broker.wire.messages.broker_heartbeat_response import BrokerHeartbeatResponse
from reference_broker.wire.messages.broker_registration_request import BrokerRegistrationRequest
from reference_broker.wire.messages.broker_registration_response import BrokerRegistrationResponse
from reference_broker.wire.primitives import Uuid

NO_EPOCH: Final = -1
AFTER_STARTING_MS: Final = 10
"""The next heartbeat while starting: where there is nothing to recover, the broker is soon unfenced."""
FIRST_WHILE_STOPPING_MS: Final = 50
"""The second heartbeat of a controlled shutdown: where there is little to move, it is soon over."""
NO_LONGER_OURS: Final = (ErrorCode.STALE_BROKER_EPOCH, ErrorCode.BROKER_ID_NOT_REGISTERED)
"""The controller knows this incarnation no more: there are no leaderships to wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleSettings:
    """broker.heartbeat.interval.ms, initial.broker.registration.timeout.ms, log.dir.failure.timeout.ms."""

    heartbeat_interval_ms: int
    registration_timeout_ms: int
    log_dir_failure_timeout_ms: int


class LifecycleListener(Protocol):
    """Whom the broker's life is told."""

    def on_registered(self, broker_epoch: int, now: Now) -> None:
        """The controller has given this incarnation its epoch."""

    def on_caught_up(self, now: Now) -> None:
        """The metadata is as new as the controller's: logs may be loaded. `ready_to_unfence` is awaited."""

    def on_unfenced(self, now: Now) -> None:
        """The broker may lead."""

    def on_stopped(self, failure: str | None, now: Now) -> None:
        """The broker may end; `failure` says why where it must."""


class BrokerLifecycle:
    """`registration` is what is sent; the epoch is -1 until the controller has given one.

    `metadata_offset()` is the last offset that this broker has applied. `may_cordon()` says whether the cluster's
    metadata version knows cordoned folders.
    """

    def __init__(
        self,
        *,
        registration: BrokerRegistrationRequest,
        settings: LifecycleSettings,
        channel: ControllerChannel,
        metadata_offset: Callable[[], int],
        may_cordon: Callable[[], bool],
        listener: LifecycleListener,
        log: Callable[[str, str], None],
    ) -> None:
        self._registration, self._settings, self._channel = registration, settings, channel
        self._metadata_offset, self._may_cordon = metadata_offset, may_cordon
        self._listener, self._log = listener, log
        self.state = BrokerState.STARTING
        self.broker_epoch = NO_EPOCH
        self._is_registered = False
        self._is_ready_to_unfence = False
        self._is_waiting = False
        """Whether a registration or heartbeat is on its way."""
        self._is_urgent = False
        """Whether there was news while one was on its way: the next follows at once."""
        self._next_at_ms = NEVER_MS
        self._register_by_ms = NEVER_MS
        self._stop_by_ms = NEVER_MS
        self._was_answered_while_stopping = False
        self._failed_directories: dict[Uuid, int] = {}
        """Folder → when the controller must have heard of its failure; NEVER_MS once it has."""
        self._cordoned: tuple[Uuid, ...] = ()

    # -- what this broker does ----------------------------------------------------------------------------------

    def start(self, now: Now) -> None:
        """Register."""
        self._register_by_ms = now.monotonic_ms + self._settings.registration_timeout_ms
        self._communicate(now)

    def ready_to_unfence(self, now: Now) -> None:
        """The logs are loaded: ask to be unfenced."""
        self._is_ready_to_unfence = True
        self._communicate(now)

    def register_again(self, now: Now) -> None:
        """Something that stands in the registration has changed, or the metadata version now holds more of it."""
        self._is_registered = False
        self._communicate(now)

    def on_directory_failed(self, directory: Uuid, now: Now) -> None:
        """A folder is offline: the controller must hear of it, or this broker cannot go on."""
        self._failed_directories[directory] = now.monotonic_ms + self._settings.log_dir_failure_timeout_ms
        if self._is_registered:
            self._communicate(now)

    def set_cordoned(self, directories: tuple[Uuid, ...], now: Now) -> None:
        """These folders take no new partitions."""
        if directories == self._cordoned:
            return
        self._cordoned = directories
        if self._is_registered and self.state is not BrokerState.STARTING:
            self._communicate(now)

    def stop(self, timeout_ms: int, now: Now) -> None:
        """Ask the controller for leave to stop, where this broker leads; at once where it does not run yet.

        After `timeout_ms` it stops all the same; with 0 it does not ask. Asked for again, nothing changes.
        """
        if self.state in (BrokerState.STOPPING, BrokerState.STOPPED):
            return
        self.state = after(self.state, BrokerEvent.STOP_ASKED)
        if self.state is BrokerState.STOPPED:
            self._end(None, now)
            return
        if not timeout_ms:
            self._may_stop(now)
            return
        self._log("INFO", "beginning a controlled shutdown")
        self._stop_by_ms = now.monotonic_ms + timeout_ms
        self._communicate(now)

    # -- time ---------------------------------------------------------------------------------------------------

    @property
    def next_deadline_ms(self) -> int:
        """When `on_time` must be called at the latest (monotonic)."""
        if self.state is BrokerState.STOPPED:
            return NEVER_MS
        earliest = self._next_at_ms if self._next_at_ms < self._register_by_ms else self._register_by_ms
        if self._stop_by_ms < earliest:
            earliest = self._stop_by_ms
        return min(earliest, *self._failed_directories.values()) if self._failed_directories else earliest

    def on_time(self, now: Now) -> None:
        """Do what is due."""
        if self.state is BrokerState.STOPPED:
            return
        if now.monotonic_ms >= self._register_by_ms:
            self._give_up("no controller registered this broker within initial.broker.registration.timeout.ms", now)
        elif now.monotonic_ms >= min(self._failed_directories.values(), default=NEVER_MS):
            self._give_up("no controller heard of a failed log folder within log.dir.failure.timeout.ms", now)
        elif now.monotonic_ms >= self._stop_by_ms:
            self._log("WARN", "the controlled shutdown took too long; stopping without it")
            self._may_stop(now)
        elif now.monotonic_ms >= self._next_at_ms:
            self._communicate(now)

    # -- registration and heartbeats ----------------------------------------------------------------------------

    def _communicate(self, now: Now) -> None:
        """Register or send a heartbeat now, or as soon as the last one is answered."""
        if self.state is BrokerState.STOPPED:
            return
        if self._is_waiting:
            self._is_urgent = True
            return
        self._is_waiting = True
        self._next_at_ms = NEVER_MS
        if not self._is_registered:
            self._channel.request(ApiKey.BROKER_REGISTRATION, self._registration, self._on_registration, now)
            return
        directories = tuple(self._failed_directories)
        heartbeat = BrokerHeartbeatRequest(
            broker_id=self._registration.broker_id,
            broker_epoch=self.broker_epoch,
            current_metadata_offset=self._metadata_offset(),
            want_fence=not self._is_ready_to_unfence,
            want_shut_down=self.state is BrokerState.STOPPING,
            offline_log_dirs=directories,
            cordoned_log_dirs=self._cordoned if self._has_caught_up and self._may_cordon() else None,
        )

        def on_outcome(outcome: Any, now: Now) -> None:
            self._on_heartbeat(outcome, directories, now)

        self._channel.request(ApiKey.BROKER_HEARTBEAT, heartbeat, on_outcome, now)

    @property
    def _has_caught_up(self) -> bool:
        return self.state is not BrokerState.STARTING

    def _on_registration(self, outcome: BrokerRegistrationResponse | PeerLost, now: Now) -> None:
        self._is_waiting = False
        if self.state is BrokerState.STOPPED:
            return
        if isinstance(outcome, PeerLost) or outcome.error_code != ErrorCode.NONE:
            me = f"broker {self._registration.broker_id} of cluster {self._registration.cluster_id}"
            self._log("INFO", f"{me} is not registered: {_why(outcome)}; trying again")
            self._plan_after_failure(outcome, now)
            return
        self.broker_epoch = outcome.broker_epoch
        self._is_registered = True
        self._register_by_ms = NEVER_MS
        self._log("INFO", f"registered with broker epoch {self.broker_epoch}")
        self._listener.on_registered(self.broker_epoch, now)
        self._communicate(now)

    def _on_heartbeat(self, outcome: BrokerHeartbeatResponse | PeerLost, told: tuple[Uuid, ...], now: Now) -> None:
        self._is_waiting = False
        if self.state is BrokerState.STOPPED:
            return
        if isinstance(outcome, PeerLost) or outcome.error_code != ErrorCode.NONE:
            self._log("WARN", f"a heartbeat failed: {_why(outcome)}")
            if self.state is BrokerState.STOPPING and getattr(outcome, "error_code", None) in NO_LONGER_OURS:
                self._may_stop(now)
            else:
                self._plan_after_failure(outcome, now)
            return
        for directory in told:
            self._failed_directories[directory] = NEVER_MS
        self._follow(outcome, now)

    def _follow(self, response: BrokerHeartbeatResponse, now: Now) -> None:
        """What the controller's answer means in each state."""
        after_ms = self._settings.heartbeat_interval_ms
        event: BrokerEvent | None = None
        if self.state is BrokerState.STARTING:
            after_ms = AFTER_STARTING_MS
            event = BrokerEvent.CAUGHT_UP if response.is_caught_up else None
        elif self.state is BrokerState.RECOVERING:
            event = None if response.is_fenced else BrokerEvent.UNFENCED
        elif self.state is BrokerState.STOPPING:
            if response.should_shut_down:
                self._may_stop(now)
                return
            if not self._was_answered_while_stopping:
                after_ms = FIRST_WHILE_STOPPING_MS
            self._was_answered_while_stopping = True
        self._plan(after_ms, now)
        if event is not None:
            self.state = after(self.state, event)
            self._log("INFO", f"{event.name.lower().replace('_', ' ')}: this broker is {self.state.name}")
            told = self._listener.on_caught_up if event is BrokerEvent.CAUGHT_UP else self._listener.on_unfenced
            told(now)

    def _plan(self, after_ms: int, now: Now) -> None:
        """The next heartbeat; at once where there was news meanwhile."""
        self._next_at_ms = now.monotonic_ms + (0 if self._is_urgent else after_ms)
        self._is_urgent = False

    def _plan_after_failure(self, outcome: Any, now: Now) -> None:
        """Not at once after a failure; but what nobody was asked may wait for a controller again, to lose no time."""
        self._is_urgent = isinstance(outcome, NoController)
        self._plan(self._settings.heartbeat_interval_ms, now)

    # -- the end ------------------------------------------------------------------------------------------------

    def _may_stop(self, now: Now) -> None:
        self.state = after(self.state, BrokerEvent.MAY_STOP)
        self._end(None, now)

    def _give_up(self, reason: str, now: Now) -> None:
        self.state = after(self.state, BrokerEvent.GAVE_UP)
        self._end(reason, now)

    def _end(self, failure: str | None, now: Now) -> None:
        self._channel.close()
        self._listener.on_stopped(failure, now)


def _why(outcome: Any) -> str:
    return outcome.reason if isinstance(outcome, PeerLost) else ErrorCode(outcome.error_code).name
