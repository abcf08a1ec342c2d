"""A controller tells the cluster who it is: it registers with the active controller, itself perhaps (KIP-919).

It registers anew after each start, since its incarnation is another one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from reference_broker.broker.channel import ControllerChannel
from reference_broker.effects import Peer, PeerLost
from reference_broker.environment import Now
from reference_broker.metadata.image import CONTROLLERS_SINCE
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.settings.endpoints import PROTOCOL_NUMBERS
from reference_broker.waiting import NEVER_MS
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.controller_registration_request import (
    ControllerRegistrationRequest,
    Feature,
    Listener,
)
from reference_broker.wire.primitives import Uuid

if TYPE_CHECKING:
    from reference_broker.metadata.delta import MetadataDelta
    from reference_broker.metadata.image import MetadataImage

RETRY_MS: Final = 100


class ControllerRegistrar:
    """Subscribes to the metadata: it is done once the own incarnation stands there."""

    def __init__(
        self, request: ControllerRegistrationRequest, channel: ControllerChannel, log: Callable[[str, str], None]
    ) -> None:
        self._request, self._channel, self._log = request, channel, log
        self._is_registered = self._is_waiting = False
        self._is_known = False
        """Whether the metadata version knows registrations."""
        self._retry_at_ms = NEVER_MS

    def follow(self, controller: Peer | None, now: Now) -> None:
        """The active controller is another one, or not known any more."""
        self._channel.follow(controller, now)

    @property
    def next_deadline_ms(self) -> int:
        """When `on_time` must be called at the latest (monotonic)."""
        of_channel = self._channel.next_deadline_ms
        return of_channel if of_channel < self._retry_at_ms else self._retry_at_ms

    def on_metadata(self, delta: MetadataDelta, now: Now) -> None:
        """The metadata has changed."""
        self._look(delta.after)
        self.on_time(now)

    def _look(self, image: MetadataImage) -> None:
        found = image.cluster.controllers.get(self._request.controller_id)
        self._is_registered = found is not None and found.incarnation_id == self._request.incarnation_id
        self._is_known = image.metadata_version >= CONTROLLERS_SINCE

    def on_time(self, now: Now) -> None:
        """Register, unless that is done or under way."""
        self._channel.on_time(now)
        if self._is_registered or not self._is_known or self._is_waiting:
            return
        if self._retry_at_ms != NEVER_MS and now.monotonic_ms < self._retry_at_ms:
            return
        self._is_waiting, self._retry_at_ms = True, NEVER_MS
        self._channel.request(ApiKey.CONTROLLER_REGISTRATION, self._request, self._on_outcome, now)

    def _on_outcome(self, outcome: Any, now: Now) -> None:
        self._is_waiting = False
        if isinstance(outcome, PeerLost) or outcome.error_code != ErrorCode.NONE:
            why = outcome.reason if isinstance(outcome, PeerLost) else ErrorCode(outcome.error_code).name
            self._log("WARN", f"this controller is not registered: {why}; trying again")
            self._retry_at_ms = now.monotonic_ms + RETRY_MS


def controller_registration_request(
    config: BrokerConfig, *, bound: Mapping[str, int], incarnation_id: Uuid
) -> ControllerRegistrationRequest:
    """What a controller says of itself. `bound` are the ports of the listeners, by name."""
    return ControllerRegistrationRequest(
        controller_id=config.node_id,
        incarnation_id=incarnation_id,
        zk_migration_ready=False,
        listeners=tuple(
            Listener(name=one.listener, host=one.host, port=one.port, security_protocol=PROTOCOL_NUMBERS[one.protocol])
            for one in config.advertised_to_controllers(bound)
        ),
        features=tuple(
            Feature(name=name, min_supported_version=low, max_supported_version=high)
            for name, (low, high) in config.release.supported_features().items()
        ),
    )
