"""Brokers that were silent for longer than their session are fenced: others lead what they led.

That is done for some partitions at a time, so that a controller with many of them goes on serving others meanwhile. The
record that fences the broker comes with the last of them: a controller that fails before leaves a broker without a
session, which the next controller fences.

Source: KIP-631 (broker.session.timeout.ms).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from reference_broker.controller.decision import Decision
from reference_broker.controller.heartbeat import fencing
from reference_broker.controller.leadership import PartitionChanges
from reference_broker.controller.sessions import BrokerSessions
from reference_broker.environment import Now
from reference_broker.metadata.image import MetadataImage
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.primitives import Uuid

AT_ONCE: Final = 500
"""Partitions that one decision changes at most."""


@dataclass(slots=True)
class SilentBrokers:
    """Fences one broker after the other, so that each sees where the leaderships of the one before went."""

    sessions: BrokerSessions
    _broker: tuple[int, int] | None = None
    """(id, epoch) of the broker that is being fenced."""
    _left: deque[tuple[Uuid, int]] = field(default_factory=deque)
    """The partitions that it has still to leave, as (topic id, index)."""

    def is_due(self, now: Now) -> bool:
        """Whether `decide` has something to do."""
        return self._broker is not None or bool(self.sessions.expired(now))

    @property
    def is_at_work(self) -> bool:
        """Whether a broker is fenced in part."""
        return self._broker is not None

    def decide(self, image: MetadataImage, config: BrokerConfig, now: Now) -> Decision:
        """Go on with a broker, or begin with the one that was silent for longest.

        The response is the id of the broker that is fenced by this, or None.
        """
        changes = PartitionChanges(image, config)
        if self._broker is None:
            self._begin(changes, now)
        if self._broker is None:
            return Decision((), None)
        broker_id, epoch = self._broker
        broker = image.cluster.get(broker_id)
        if broker is None or broker.epoch != epoch or broker.is_fenced:
            self._broker = None
            self._left.clear()
            return Decision((), None)
        if len(self._left) <= AT_ONCE:
            self._broker = None
            self._left.clear()
            return Decision(tuple(fencing(changes, broker)), broker_id)
        keys = [self._left.popleft() for _ in range(AT_ONCE)]
        places = [found for key in keys if (found := changes.located(*key)) is not None and broker_id in found[1].isr]
        return Decision(tuple(changes.without(broker_id, places)), None)

    def _begin(self, changes: PartitionChanges, now: Now) -> None:
        for broker_id, epoch in self.sessions.expired(now):
            self.sessions.end(broker_id)
            broker = changes.image.cluster.get(broker_id)
            if broker is not None and broker.epoch == epoch and not broker.is_fenced:
                self._broker = broker_id, epoch
                self._left.extend((topic.id, one.index) for topic, one in changes.in_sync(broker_id))
                return
