"""Ignores flush.messages.

**Bug** A log is flushed when the operating system likes, whatever the topic asks for.

**Rejected by**
`checks/retention/test_settings_of_the_cleaner.py::test_a_setting_counts_while_the_broker_runs[flush.messages-topic]`:
while it is set 'before' is seen
"""

from __future__ import annotations

from collections.abc import Mapping

from reference_broker.log.config import LogConfig


def plant() -> None:
    """Puts it in."""
    plain = LogConfig.of

    def of(settings: Mapping[str, str]) -> LogConfig:
        return plain({name: value for name, value in settings.items() if name != "flush.messages"})

    LogConfig.of = of  # type: ignore[assignment, method-assign]
