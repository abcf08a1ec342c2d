"""Asks for log.retention.hours before log.retention.minutes.

**Bug** Of two settings of the same time in other units the coarser one wins.

**Rejected by**
`checks/retention/test_settings_of_the_start.py::test_minutes_win_over_hours_and_milliseconds_over_both`:
the limit is an hour, by log.retention.minutes
"""

from __future__ import annotations

from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.settings.config_key import ConfigKey

MINUTES, HOURS = "log.retention.minutes", "log.retention.hours"


def plant() -> None:
    """Puts it in."""
    plain = BrokerConfig.topic_default

    def default(self: BrokerConfig, key: ConfigKey) -> str:
        if HOURS in self.originals and MINUTES in self.originals:
            kept = {name: value for name, value in self.originals.items() if name != MINUTES}
            self = BrokerConfig(kept, self.values, self.warnings, self.default_host, self.release)
        return plain(self, key)

    BrokerConfig.topic_default = default  # type: ignore[method-assign]
