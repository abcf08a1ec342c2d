"""What a broker says of itself when it registers (BrokerRegistration, KIP-631)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.settings.endpoints import PROTOCOL_NUMBERS
from reference_broker.wire.messages.broker_registration_request import BrokerRegistrationRequest, Feature, Listener
from reference_broker.wire.primitives import BrokerId, Uuid


def registration_request(
    config: BrokerConfig,
    *,
    bound: Mapping[str, int],
    cluster_id: str,
    incarnation_id: Uuid,
    log_dirs: Sequence[Uuid],
    previous_broker_epoch: int,
) -> BrokerRegistrationRequest:
    """One incarnation's registration.

    `bound` are the ports of the listeners, by name, `log_dirs` the ids of the folders that are online, and
    `previous_broker_epoch` the epoch at the last clean stop, or -1.
    """
    return BrokerRegistrationRequest(
        broker_id=BrokerId(config.node_id),
        cluster_id=cluster_id,
        incarnation_id=incarnation_id,
        listeners=tuple(
            Listener(name=one.listener, host=one.host, port=one.port, security_protocol=PROTOCOL_NUMBERS[one.protocol])
            for one in config.advertised_to_clients(bound)
        ),
        features=tuple(
            Feature(name=name, min_supported_version=low, max_supported_version=high)
            for name, (low, high) in config.release.supported_features().items()
        ),
        rack=config.text("broker.rack") or None,
        log_dirs=tuple(sorted(log_dirs)),
        previous_broker_epoch=previous_broker_epoch,
    )
