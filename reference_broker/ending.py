"""The end of a node that was asked to stop: the broker hands over what it leads, then the node leaves the quorum.

The active controller leaves after the brokers that are stopping at the same time: where a whole cluster is stopped,
there may be no other that could give them leave.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from reference_broker.waiting import NEVER_MS

if TYPE_CHECKING:
    from reference_broker.apis.context import Parts
    from reference_broker.environment import Now
    from reference_broker.life import BrokerLife

CONTROLLED_SHUTDOWN_MS: Final = 300_000
"""How long a broker waits for leave to stop, as Kafka's does."""
GIVE_LEAVE_MS: Final = 5_000
"""How long the active controller waits, at its end, for brokers that are stopping too."""
LEAVE_QUORUM_MS: Final = 4_000
"""How long a node waits, at its end, for another leader of the quorum."""


class Stopping(Enum):
    """How far a node that was asked to stop has got."""

    NOT_ASKED = auto()
    BROKER = auto()
    """The broker hands over what it leads (controlled shutdown)."""
    OTHERS = auto()
    """The active controller gives other brokers leave to stop."""
    QUORUM = auto()
    """The member of the quorum resigns, and tells the others."""
    DONE = auto()


class Ending:
    """`life` is that of the node's broker, where it has that role."""

    def __init__(self, parts: Parts, life: BrokerLife | None) -> None:
        self._parts, self._life = parts, life
        self._state = Stopping.NOT_ASKED
        self.deadline_ms = NEVER_MS
        """When `go_on` must be called at the latest (monotonic)."""

    @property
    def has_stopped(self) -> bool:
        """Whether all is done but to release the metadata log."""
        return self._state is Stopping.DONE

    def begin(self, now: Now) -> None:
        """Asked for again, nothing changes."""
        if self._state is not Stopping.NOT_ASKED:
            return
        self._state = Stopping.BROKER
        if self._parts.broker is not None:
            is_controlled = self._parts.settings.static.flag("controlled.shutdown.enable")
            self._parts.broker.broker.lifecycle.stop(CONTROLLED_SHUTDOWN_MS if is_controlled else 0, now)
        self.go_on(now)

    def go_on(self, now: Now) -> None:
        """Something has happened, or time has passed."""
        parts = self._parts
        if self._state is Stopping.BROKER and (self._life is None or self._life.has_ended):
            if parts.broker is not None and not parts.broker.partitions.may_close():
                return
            self._state = Stopping.OTHERS
            if parts.broker is not None:
                parts.broker.partitions.close(now, parts.broker.broker.lifecycle.broker_epoch)
            self.deadline_ms = now.monotonic_ms + GIVE_LEAVE_MS
        if self._state is Stopping.OTHERS and (now.monotonic_ms >= self.deadline_ms or not self._is_needed()):
            self._state = Stopping.QUORUM
            parts.quorum.shut_down(now)
            self.deadline_ms = now.monotonic_ms + LEAVE_QUORUM_MS
        if self._state is Stopping.QUORUM and (parts.quorum.may_stop or now.monotonic_ms >= self.deadline_ms):
            self._state, self.deadline_ms = Stopping.DONE, NEVER_MS

    def _is_needed(self) -> bool:
        return self._parts.controller is not None and self._parts.controller.is_needed
