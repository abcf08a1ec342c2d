"""What the active controller knows of brokers beside the metadata: when each was heard last, and how far it has read.

It is not replicated. A node that becomes the active controller begins anew and gives every broker a full session, so
that no broker is fenced for what an earlier controller heard. Source: KIP-631.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reference_broker.environment import Now

if TYPE_CHECKING:
    from reference_broker.metadata.brokers import BrokersImage

UNKNOWN: Final = -1


@dataclass(slots=True)
class BrokerSession:
    """One registration of a broker, by its epoch.

    `last_contact_ms` is monotonic, None before the first heartbeat. `metadata_offset` is how far the broker has read
    the metadata log. `shutdown_offset` is the offset that all others must have read before it may stop, -1 where it is
    not in a controlled shutdown. `registration_offset` is the offset that holds its registration.
    """

    epoch: int
    registration_offset: int
    last_contact_ms: int | None = None
    metadata_offset: int = UNKNOWN
    shutdown_offset: int = UNKNOWN

    @property
    def is_shutting_down(self) -> bool:
        """Whether the broker is in a controlled shutdown."""
        return self.shutdown_offset >= 0


class BrokerSessions:
    """The sessions of all registered brokers, by broker id."""

    def __init__(self, timeout_ms: int) -> None:
        self.timeout_ms = timeout_ms
        self._by_id: dict[int, BrokerSession] = {}

    @classmethod
    def begin(cls, cluster: BrokersImage, *, timeout_ms: int, now: Now) -> BrokerSessions:
        """The sessions of a node that becomes the active controller now: a full one for each broker that is alive."""
        sessions = cls(timeout_ms)
        for broker_id, broker in sorted(cluster.brokers.items()):
            # The offset of a registration is not known any more; the epoch is the first offset of its batch.
            session = sessions.register(broker_id, broker.epoch, registration_offset=broker.epoch)
            if not broker.is_fenced:
                session.last_contact_ms = now.monotonic_ms
        return sessions

    def get(self, broker_id: int, epoch: int) -> BrokerSession:
        """The session of a registration; a new one where another epoch was known, or none."""
        session = self._by_id.get(broker_id)
        if session is None or session.epoch != epoch:
            session = self.register(broker_id, epoch, registration_offset=epoch)
        return session

    def register(self, broker_id: int, epoch: int, *, registration_offset: int) -> BrokerSession:
        """A broker registered: under a new epoch its session begins with its first heartbeat, else it goes on."""
        session = self._by_id.get(broker_id)
        if session is None or session.epoch != epoch:
            session = self._by_id[broker_id] = BrokerSession(epoch, registration_offset)
        session.registration_offset = registration_offset
        return session

    def touch(self, broker_id: int, epoch: int, now: Now) -> None:
        """A heartbeat came."""
        self.get(broker_id, epoch).last_contact_ms = now.monotonic_ms

    def postpone(self, ms: int) -> None:
        """Let all sessions last longer: for so long this controller could hear nobody."""
        for session in self._by_id.values():
            if session.last_contact_ms is not None:
                session.last_contact_ms += ms

    def end(self, broker_id: int) -> None:
        """A broker was silent for too long: its session is over, and begins anew with a heartbeat."""
        session = self._by_id[broker_id]
        session.last_contact_ms, session.shutdown_offset = None, UNKNOWN

    def remove(self, broker_id: int) -> None:
        """A broker is not registered any more."""
        self._by_id.pop(broker_id, None)

    def is_valid(self, broker_id: int, epoch: int, now: Now) -> bool:
        """Whether a registration has a session that has not expired."""
        session = self._by_id.get(broker_id)
        if session is None or session.epoch != epoch or session.last_contact_ms is None:
            return False
        return not self._is_expired(session.last_contact_ms, now)

    def _is_expired(self, last_contact_ms: int, now: Now) -> bool:
        return last_contact_ms + self.timeout_ms < now.monotonic_ms

    def expired(self, now: Now) -> list[tuple[int, int]]:
        """(broker id, epoch) of all sessions that have expired, the longest silent first."""
        silent = [
            (session.last_contact_ms, broker_id, session.epoch)
            for broker_id, session in self._by_id.items()
            if session.last_contact_ms is not None and self._is_expired(session.last_contact_ms, now)
        ]
        return [(broker_id, epoch) for _, broker_id, epoch in sorted(silent)]

    def next_deadline_ms(self) -> int | None:
        """When the next session expires (monotonic); None where there is no session."""
        first: int | None = None
        for one in self._by_id.values():
            if one.last_contact_ms is not None and (first is None or one.last_contact_ms < first):
                first = one.last_contact_ms
        return None if first is None else first + self.timeout_ms + 1

    @property
    def has_stopping(self) -> bool:
        """Whether a broker is in a controlled shutdown."""
        return any(session.is_shutting_down for session in self._by_id.values())

    def have_all_read(self, offset: int, cluster: BrokersImage) -> bool:
        """Whether all brokers that may lead have read the metadata log up to an offset."""
        offsets = [
            session.metadata_offset
            for broker in cluster.active()
            if not (session := self.get(broker.id, broker.epoch)).is_shutting_down
        ]
        return all(offset <= one for one in offsets)
