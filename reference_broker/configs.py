"""The former place of `reference_broker.settings.broker_config`, until every import names the new one."""

from reference_broker.settings.broker_config import (
    PROTOCOL_NUMBERS,
    PROTOCOLS,
    BrokerConfig,
    Endpoint,
    Voter,
    scaled,
    text_of,
)
from reference_broker.settings.validators import ConfigInvalid

__all__ = ["PROTOCOLS", "PROTOCOL_NUMBERS", "BrokerConfig", "ConfigInvalid", "Endpoint", "Voter", "scaled", "text_of"]
