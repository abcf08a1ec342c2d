"""The former place of `reference_broker.settings`' keys, until every import names the new one."""

from reference_broker.settings.config_key import ConfigKey, ConfigType, Synonym, UpdateMode, parse_value
from reference_broker.settings.config_keys import BROKER_SYNONYMS, ConfigKeys, broker_synonyms, config_keys
from reference_broker.settings.validators import ConfigInvalid, Value

__all__ = [
    "BROKER_SYNONYMS",
    "ConfigInvalid",
    "ConfigKey",
    "ConfigKeys",
    "ConfigType",
    "Synonym",
    "UpdateMode",
    "Value",
    "broker_synonyms",
    "config_keys",
    "parse_value",
]
