"""Which settings a group may have: each within the broker's limits, and a session longer than its heartbeats.

Source: KIP-848, KIP-932, KIP-1071, KIP-1240; what is checked when, and in which words, differs between releases.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reference_broker.releases.behaviours import Behaviour
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.refusal import KafkaError

LIMITS: Final = (
    *("consumer.heartbeat.interval.ms", "consumer.session.timeout.ms", "consumer.assignment.interval.ms"),
    *("share.heartbeat.interval.ms", "share.session.timeout.ms", "share.record.lock.duration.ms"),
    *("share.delivery.count.limit", "share.partition.max.record.locks", "share.assignment.interval.ms"),
    *("streams.heartbeat.interval.ms", "streams.session.timeout.ms", "streams.num.standby.replicas"),
    *("streams.assignment.interval.ms", "streams.task.offset.interval.ms", "streams.num.warmup.replicas"),
)
"""The settings that the broker limits, in the order in which they are checked."""
KINDS: Final = ("consumer", "share", "streams")


def check_group(settings: Mapping[str, str], config: BrokerConfig) -> None:
    """INVALID_CONFIG for the first setting that a group cannot have; each is known, and of its type."""
    effective = _effective(settings, config)
    for key in LIMITS:
        if key in effective:
            _check_limits(key, effective[key], config)
    if (name := settings.get("streams.assignor.name")) is not None:
        known = config.items("group.streams.assignors")
        if name not in known:
            raise _invalid(
                f"streams.assignor.name '{name}' is not a registered task assignor. Registered assignors are: "
                f"[{', '.join(known)}]."
            )
    for kind in KINDS:
        session, heartbeat = f"{kind}.session.timeout.ms", f"{kind}.heartbeat.interval.ms"
        if session not in config.keys.group or not (session in effective or heartbeat in effective):
            continue
        values = [effective.get(key, config.number(f"group.{key}")) for key in (session, heartbeat)]
        if values[0] <= values[1]:
            raise _invalid(f"{session} must be greater than {heartbeat}")
    if settings.get("errors.deadletterqueue.topic.name", "").startswith("__"):
        raise _invalid("errors.deadletterqueue.topic.name: DLQ topic name must not start with '__'")


def _effective(settings: Mapping[str, str], config: BrokerConfig) -> dict[str, int]:
    """The numbers that are checked: what is set, and in older releases what would count without being set."""
    values: dict[str, int] = {}
    for key in LIMITS:
        known = config.keys.group.get(key)
        if known is None:
            continue
        if key in settings:
            values[key] = int(settings[key])
        elif not config.release.does(Behaviour.KAFKA_20337_GROUP_LIMITS) and not key.endswith(
            ".assignment.interval.ms"
        ):
            is_brokers = config.release.does(Behaviour.KAFKA_20289_GROUP_SYNONYMS)
            values[key] = config.number(f"group.{key}") if is_brokers else int(known.default or 0)
    return values


def _check_limits(key: str, value: int, config: BrokerConfig) -> None:
    """The broker's limit of `share.x` is `group.share.min.x` or `.max.x`; some have one only, with `num.` left out."""
    kind, _, what = key.partition(".")
    names = [f"group.{kind}.{end}.{what.removeprefix('num.')}" for end in ("min", "max")]
    low, high = (config.number(name) if name in config.keys.broker else None for name in names)
    is_below, is_above = low is not None and value < low, high is not None and value > high
    if not (is_below or is_above):
        return
    is_numbers = config.release.does(Behaviour.KAFKA_20337_GROUP_LIMITS)
    if is_numbers and low is not None and high is not None:
        raise _invalid(f"{key} must be in the range {low} to {high} inclusive.")
    if is_below:
        raise _invalid(f"{key} must be greater than or equal to {low if is_numbers else names[0]}")
    raise _invalid(f"{key} must be less than or equal to {high if is_numbers else names[1]}")


def _invalid(text: str) -> KafkaError:
    return KafkaError(ErrorCode.INVALID_CONFIG, text)
