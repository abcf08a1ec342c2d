"""Keeps batches in the codec of their producer, whatever the topic's is.

**Bug** compression.type of a topic has no effect: a cluster that should save space by it does not.

**Rejected by**
`checks/protocol/test_produced_batches.py::test_a_topic_chooses_its_compression[none-zstd]`:
The codec of what is kept should be
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reference_broker.log.config import LogConfig


def plant() -> None:
    """Puts it in."""
    build = LogConfig.of.__func__

    def without(cls: Any, settings: Any) -> LogConfig:
        return replace(build(cls, settings), compression_type="producer")

    LogConfig.of = classmethod(without)
