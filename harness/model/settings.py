"""The topic configs that the model knows: defaults and valid values. Source: Kafka's topic configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LARGEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One topic config: its default, and its range (`low` to `high`) or valid `words`."""

    default: str
    low: int = 0
    high: int = LARGEST
    words: tuple[str, ...] = ()
    """The valid values of a config that is not a number."""
    is_list: bool = False

    def takes(self, value: str) -> bool | None:
        """Whether a value is valid; None if releases differ or the model does not know."""
        if self.is_list:
            parts = [part.strip() for part in value.split(",")]
            return (
                None if not value.strip() or len(set(parts)) < len(parts) else all(one in self.words for one in parts)
            )
        if self.words:
            return value in self.words or (None if value.lower() in self.words else False)
        try:
            return self.low <= int(value) <= self.high
        except ValueError:
            return False

    def told(self, value: str) -> str:
        """A valid value as DescribeConfigs returns it."""
        return ",".join(part.strip() for part in value.split(",")) if self.is_list else value


BOOLEAN: Final = ("true", "false")
CODECS: Final = ("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer")
SETTINGS: Final[Mapping[str, Setting]] = {
    "cleanup.policy": Setting(default="delete", words=("compact", "delete"), is_list=True),
    "compression.type": Setting(default="producer", words=CODECS),
    "delete.retention.ms": Setting(default="86400000"),
    "file.delete.delay.ms": Setting(default="60000"),
    "flush.messages": Setting(default=str(LARGEST), low=1),
    "flush.ms": Setting(default=str(LARGEST)),
    "max.message.bytes": Setting(default="1048588", high=2**31 - 1),
    "message.timestamp.after.max.ms": Setting(default="3600000"),
    "message.timestamp.before.max.ms": Setting(default=str(LARGEST)),
    "message.timestamp.type": Setting(default="CreateTime", words=("CreateTime", "LogAppendTime")),
    "min.compaction.lag.ms": Setting(default="0"),
    "min.insync.replicas": Setting(default="1", low=1, high=2**31 - 1),
    "preallocate": Setting(default="false", words=BOOLEAN),
    "retention.bytes": Setting(default="-1", low=-LARGEST - 1),
    "retention.ms": Setting(default="604800000", low=-1),
    "segment.bytes": Setting(default="1073741824", low=1_048_576, high=2**31 - 1),
    "segment.ms": Setting(default="604800000", low=1),
    "unclean.leader.election.enable": Setting(default="false", words=BOOLEAN),
}
DEFAULTS: Final[Mapping[str, str]] = {name: setting.default for name, setting in SETTINGS.items()}


def takes(name: str, value: str | None) -> bool | None:
    """Whether a topic config may have this value; None if the model does not know."""
    if name not in SETTINGS:
        return None if "." in name else False
    if value is not None and value != value.strip():
        return None
    return False if value is None else SETTINGS[name].takes(value)
