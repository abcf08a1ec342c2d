"""Ignores that a topic wants the time of appending.

**Differs** Batches of a topic with LogAppendTime keep their own type of timestamp.

**Found by** `log`, level fields: `Produce responses[].partition_responses[].log_append_time_ms`
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reference_broker.log import partition_log
from reference_broker.log.config import LogConfig


def plant() -> None:
    """Puts it in."""
    validate = partition_log.validate

    def by_creation(batch: Any, config: LogConfig, *circumstances: Any) -> Any:
        return validate(batch, replace(config, message_timestamp_type="CreateTime"), *circumstances)

    partition_log.validate = by_creation
