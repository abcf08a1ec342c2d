"""What a topic's configuration means to its log.

Source: Kafka documentation, "Topic Configs".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LONG_MAX = (1 << 63) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig:
    """A topic's settings over the broker's. Times in ms, sizes in bytes; a retention of -1 has no limit."""

    segment_bytes: int = 1 << 30
    segment_ms: int = 604_800_000
    segment_jitter_ms: int = 0
    segment_index_bytes: int = 10 * 1024 * 1024
    index_interval_bytes: int = 4096
    flush_messages: int = LONG_MAX
    flush_ms: int = LONG_MAX
    retention_ms: int = 604_800_000
    retention_bytes: int = -1
    max_message_bytes: int = 1_048_588
    message_timestamp_type: str = "CreateTime"
    message_timestamp_before_max_ms: int = LONG_MAX
    message_timestamp_after_max_ms: int = 3_600_000
    compression_type: str = "producer"
    compression_gzip_level: int = -1
    compression_lz4_level: int = 9
    compression_zstd_level: int = 3
    cleanup_policy: tuple[str, ...] = ("delete",)
    min_cleanable_dirty_ratio: float = 0.5
    min_compaction_lag_ms: int = 0
    max_compaction_lag_ms: int = LONG_MAX
    delete_retention_ms: int = 86_400_000
    file_delete_delay_ms: int = 60_000
    min_insync_replicas: int = 1
    leader_replication_throttled_replicas: str = ""
    follower_replication_throttled_replicas: str = ""

    @property
    def is_compacted(self) -> bool:
        """Whether records need keys."""
        return "compact" in self.cleanup_policy

    @property
    def roll_after_ms(self) -> int:
        """How old a segment gets. What must be compacted after some time cannot stay in the last one (KIP-354)."""
        return min(self.max_compaction_lag_ms, self.segment_ms) if self.is_compacted else self.segment_ms

    @property
    def has_deletion(self) -> bool:
        """Whether retention removes old segments."""
        return "delete" in self.cleanup_policy

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> LogConfig:
        """From Kafka's topic configuration names; values are already validated, names it does not know are left."""
        values: dict[str, object] = {}
        for name, default in DEFAULTS.items():
            text = settings.get(name.replace("_", "."))
            if text is None:
                continue
            if name == "cleanup_policy":
                values[name] = tuple(part.strip() for part in text.split(",") if part.strip())
            else:
                values[name] = (
                    int(text) if isinstance(default, int) else float(text) if isinstance(default, float) else text
                )
        return cls(**values)  # type: ignore[arg-type]


DEFAULTS: dict[str, object] = {name: getattr(LogConfig(), name) for name in LogConfig.__slots__}
