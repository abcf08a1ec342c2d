"""IncrementalAlterConfigs: set, delete, append to or subtract from single settings (KIP-339).

**Promises** All changes of a resource count together or not at all; they survive a restart and count at once.
**Refuses** Per resource: INVALID_REQUEST: resource twice, key twice, null value, unknown type, another broker's id, a
broker setting that is not dynamic or not valid; INVALID_CONFIG: unknown key or wrong value of a topic, group or client
metrics, append to what is no list, an unknown logger; UNKNOWN_TOPIC_OR_PARTITION; INVALID_TOPIC_EXCEPTION;
UNSUPPORTED_VERSION: an unknown type, at a controller.
**Versions** 1 flexible.
**Departs from Kafka** An unknown operation on a topic is UNKNOWN_SERVER_ERROR at once; the active controller of 4.3.1
resigns first. BROKER_LOGGER: there are no named loggers, so that none exists.
alter.config.policy.class.name is not honoured.
"""

from __future__ import annotations

from typing import Final

from reference_broker.apis.altered_resources import Alteration
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.incremental_alter_configs_response import (
    AlterConfigsResourceResponse,
    IncrementalAlterConfigsResponse,
)

API: Final = ApiKey.INCREMENTAL_ALTER_CONFIGS
VERSIONS: Final = range(2)
LISTENERS: Final = ("broker", "controller")
ALTERATION: Final = Alteration(IncrementalAlterConfigsResponse, AlterConfigsResourceResponse, is_replacement=False)

preprocess = ALTERATION.preprocess
handle = ALTERATION.handle
