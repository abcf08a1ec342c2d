"""What the active controller decides because it is time: silent brokers, preferred leaders, leaders out of sync.

Source: KIP-631; auto.leader.rebalance.enable, unclean.leader.election.enable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from reference_broker.controller.decision import Decision
from reference_broker.controller.elections import decide_balance, decide_unclean_elections
from reference_broker.controller.sessions import BrokerSessions
from reference_broker.controller.silent_brokers import SilentBrokers
from reference_broker.environment import Now
from reference_broker.metadata.image import MetadataImage
from reference_broker.settings.broker_config import BrokerConfig

Decide = Callable[[MetadataImage], Decision]


class PeriodicTasks:
    """Begins anew, with full sessions for all brokers, when a node becomes the active controller.

    `config` gives the controller's settings, dynamic ones included.
    """

    def __init__(self, config: Callable[[], BrokerConfig], image: MetadataImage, now: Now) -> None:
        self._config = config
        timeout_ms = config().number("broker.session.timeout.ms")
        self.sessions = BrokerSessions.begin(image.cluster, timeout_ms=timeout_ms, now=now)
        self._silent = SilentBrokers(self.sessions)
        self._go_on_at_ms: int | None = None
        """When the rest of a decision is due."""
        self._balance_at_ms = now.monotonic_ms + self._balance_interval_ms
        self._unclean_at_ms = now.monotonic_ms + self._unclean_interval_ms

    @property
    def _balance_interval_ms(self) -> int:
        return self._config().number("leader.imbalance.check.interval.seconds") * 1_000

    @property
    def _unclean_interval_ms(self) -> int:
        return self._config().number("unclean.leader.election.interval.ms")

    def next_deadline_ms(self) -> int:
        """When `due` has something next (monotonic)."""
        expiry = self.sessions.next_deadline_ms()
        at_ms = self._balance_at_ms if self._balance_at_ms < self._unclean_at_ms else self._unclean_at_ms
        if self._go_on_at_ms is not None:
            return min(at_ms, self._go_on_at_ms)
        return at_ms if expiry is None or at_ms < expiry else expiry

    def due(self, now: Now) -> Iterator[Decide]:
        """The decisions to take now, one after the other: each sees what the one before has decided."""
        self._go_on_at_ms = None
        while self._silent.is_due(now):
            yield lambda image: self._silent.decide(image, self._config(), now)
            if self._silent.is_at_work:
                self._go_on_at_ms = now.monotonic_ms  # others are served first
                break
        if now.monotonic_ms >= self._balance_at_ms:
            yield lambda image: self._balance(image, now)
        if now.monotonic_ms >= self._unclean_at_ms:
            yield lambda image: self._elect_uncleanly(image, now)

    def _balance(self, image: MetadataImage, now: Now) -> Decision:
        is_wanted = self._config().flag("auto.leader.rebalance.enable")
        decision = decide_balance(image, self._config()) if is_wanted else Decision((), False)
        # Where more may be left, the rest follows at once, in a decision of its own.
        self._balance_at_ms = now.monotonic_ms + (0 if decision.response else self._balance_interval_ms)
        return decision

    def _elect_uncleanly(self, image: MetadataImage, now: Now) -> Decision:
        decision = decide_unclean_elections(image, self._config())
        self._unclean_at_ms = now.monotonic_ms + (0 if decision.response else self._unclean_interval_ms)
        return decision
