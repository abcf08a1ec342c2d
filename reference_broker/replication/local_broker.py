"""What the replicas of a broker share: who the broker is, what it knows of the others, and whom it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from reference_broker.effects import Peer
from reference_broker.replication.throttle import Throttles

if TYPE_CHECKING:
    from reference_broker.metadata.brokers import BrokerImage

NO_BROKER_EPOCH: Final = -1
"""A broker that names no epoch: what it says is not fenced by one."""


def _pass_over(*_: object) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class LocalBroker:
    """One for all partitions of a broker. `brokers` are all that are registered, as last published."""

    node_id: int
    listener: str = "PLAINTEXT"
    """inter.broker.listener.name: where other brokers are spoken to."""
    brokers: Mapping[int, BrokerImage] = field(default_factory=dict)
    broker_epoch: int = NO_BROKER_EPOCH
    replica_lag_time_max_ms: int = 30_000
    touch: Callable[[Any], None] = _pass_over
    """Told the key that a role was made with when anything of its partition changed: the partition itself."""
    on_event: Callable[[str], None] = _pass_over
    """Told a line for the log."""
    throttles: Throttles = field(default_factory=Throttles)

    def peer(self, broker_id: int) -> Peer | None:
        """Where another broker listens for brokers; None where it is not known, or fenced."""
        found = self.brokers.get(broker_id)
        endpoint = None if found is None or found.is_fenced else found.endpoint(self.listener)
        return None if endpoint is None else Peer(broker_id, *endpoint)

    def rack_of(self, broker_id: int, listener: str) -> str | None:
        """A broker's rack; None where it has none, or clients of a listener do not reach it."""
        found = self.brokers.get(broker_id)
        return None if found is None or found.is_fenced or found.endpoint(listener) is None else found.rack

    def is_alive(self, broker_id: int) -> bool:
        """Whether a broker is registered and not fenced."""
        found = self.brokers.get(broker_id)
        return found is not None and not found.is_fenced

    def is_fenced_by_epoch(self, broker_id: int, broker_epoch: int) -> bool:
        """Whether a request comes from a broker that has been registered anew since (KIP-903)."""
        found = self.brokers.get(broker_id)
        return broker_epoch != NO_BROKER_EPOCH and found is not None and found.epoch > broker_epoch

    def may_be_in_sync(self, broker_id: int, broker_epoch: int | None) -> bool:
        """Whether a replica may join the ISR, by the broker epoch of its last fetch (None: it has not fetched).

        Its broker must be neither fenced nor shutting down (KIP-841), and no other incarnation (KIP-903).
        """
        found = self.brokers.get(broker_id)
        if found is None or not found.is_active or broker_epoch is None:
            return False
        return broker_epoch in (NO_BROKER_EPOCH, found.epoch)
