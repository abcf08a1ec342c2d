"""The former place of `reference_broker.settings.properties`, until every import names the new one."""

from reference_broker.settings.properties import format_properties, parse_properties

__all__ = ["format_properties", "parse_properties"]
