"""AlterConfigs: replace all settings of a resource. Superseded by IncrementalAlterConfigs, still served.

**Promises** What is named is set, what is not goes back to its default, all of a resource together.
**Refuses** Per resource, as IncrementalAlterConfigs does: INVALID_REQUEST: resource twice, key twice, null value,
unknown type, another broker's id, a broker setting that is not dynamic or not valid; INVALID_CONFIG: unknown key or
wrong value of a topic, group or client metrics; UNKNOWN_TOPIC_OR_PARTITION; UNSUPPORTED_VERSION: an unknown type, at a
controller.
**Versions** 2 flexible.
**Departs from Kafka** alter.config.policy.class.name is not honoured. A resource named twice is answered
INVALID_REQUEST; 4.3.1 means to, trips, and never answers.
"""

from __future__ import annotations

from typing import Final

from reference_broker.apis.altered_resources import Alteration
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.alter_configs_response import AlterConfigsResourceResponse, AlterConfigsResponse

API: Final = ApiKey.ALTER_CONFIGS
VERSIONS: Final = range(3)
LISTENERS: Final = ("broker", "controller")
ALTERATION: Final = Alteration(AlterConfigsResponse, AlterConfigsResourceResponse, is_replacement=True)

preprocess = ALTERATION.preprocess
handle = ALTERATION.handle
