"""How far the numbers of a running node's threads may be changed: to half and to double, not further (KIP-226)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

POOLS: Final = (
    *("background.threads", "num.io.threads", "num.network.threads"),
    *("num.recovery.threads.per.data.dir", "num.replica.fetchers"),
)
CLEANER: Final = "log.cleaner.threads"


def reason_refused(settings: Mapping[str, str], current: Callable[[str], int]) -> str | None:
    """What is wrong with the wished numbers of threads, in Kafka's words; None for nothing."""
    if int(settings.get(CLEANER, 1)) == 0:
        return "/ by zero"  # a cleaner without threads divides its memory by them, before anything else is looked at
    for name in POOLS:
        if name not in settings or (wanted := int(settings[name])) == (now := current(name)):
            continue
        said = f"Dynamic thread count update validation failed for {name}={wanted}, value should "
        if wanted <= 0:
            return _wrapped(f"{said}be at least 1")
        if wanted < now // 2:
            return _wrapped(f"{said}be at least half the current value {now}")
        if wanted > now * 2:
            return _wrapped(f"{said}not be greater than double the current value {now}")
    return _reason_cleaner_refused(settings, current)


def _reason_cleaner_refused(settings: Mapping[str, str], current: Callable[[str], int]) -> str | None:
    if CLEANER not in settings:
        return None
    wanted, now = int(settings[CLEANER]), current(CLEANER)
    if wanted < now // 2:
        return _wrapped(f"Log cleaner threads cannot be reduced to less than half the current value {now}")
    if wanted > now * 2:
        return _wrapped(f"Log cleaner threads cannot be increased to more than double the current value {now}")
    return None


def _wrapped(text: str) -> str:
    return (
        f"Invalid value org.apache.kafka.common.config.ConfigException: {text} "
        "for configuration Invalid dynamic configuration"
    )
