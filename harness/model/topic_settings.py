"""Judges changes and descriptions of topic configs. KIP-133, KIP-226 and KIP-339."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from harness.model.allowed import ANY, Complaints, expect, expect_code
from harness.model.settings import SETTINGS, takes
from reference_broker.wire.errors import ErrorCode

TOPIC: Final = 2
TYPES: Final = (2, 4, 8, 16, 32)
"""The valid types of config resources; any other makes the whole request invalid."""
SET, DELETE, APPEND, SUBTRACT = range(4)
DYNAMIC_TOPIC: Final = 1
"""The config_source of a config that is set on the topic itself."""
MISSING: Final = frozenset({int(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION), int(ErrorCode.INVALID_TOPIC_EXCEPTION)})
FAULTS: Final = frozenset({int(ErrorCode.INVALID_CONFIG), int(ErrorCode.INVALID_REQUEST)})


class HasSettings(Protocol):
    """The part of a topic that concerns its configs."""

    own: dict[str, str]
    settings: dict[str, str]
    is_clear: bool

    def apply(self, own: dict[str, str]) -> None:
        """Replaces the configs that are set on the topic itself."""
        ...


def altered(topics: Mapping[str, HasSettings], request: Any, response: Any) -> Complaints:
    """Judges the answer to an IncrementalAlterConfigs or AlterConfigs of topics, and applies the accepted changes."""
    is_whole = "Incremental" not in type(request).__name__
    counts = Counter((one.resource_type, one.resource_name) for one in request.resources)
    is_plain = all(one.resource_type in TYPES for one in request.resources)
    answers = {(one.resource_type, one.resource_name): one.error_code for one in response.responses}
    for wanted in request.resources:
        place = (wanted.resource_type, wanted.resource_name)
        if wanted.resource_type != TOPIC or place not in answers:
            continue
        topic, code = topics.get(wanted.resource_name), answers[place]
        where = f"{type(request).__name__.removesuffix('Request')} of topic {wanted.resource_name!r}"
        if topic is None:
            allowed = MISSING | (FAULTS if wanted.configs else frozenset())
            if not wanted.resource_name:  # unlike brokers, topics have no cluster-wide default resource
                allowed |= {int(ErrorCode.INVALID_REQUEST)}
            is_internal = wanted.resource_name.startswith("__")
            yield from expect_code(where, code, ANY if is_internal or not is_plain else allowed)
            continue
        own, allowed = alteration(topic.own, wanted.configs, is_whole)
        if not topic.is_clear or not is_plain or counts[place] > 1:
            allowed = ANY
        yield from expect_code(where, code, allowed)
        if not code and not request.validate_only:
            topic.is_clear = topic.is_clear and allowed != ANY and all(takes(*one) for one in own.items())
            topic.apply(own)


def alteration(now: Mapping[str, str], configs: Sequence[Any], is_whole: bool) -> tuple[dict[str, str], frozenset[int]]:
    """(the topic's own configs after the change, allowed error codes). `is_whole`: the change replaces all."""
    own = {} if is_whole else dict(now)
    codes: set[int] = set()
    if len({config.name for config in configs}) < len(configs):
        if is_whole:
            return own, ANY
        codes.add(ErrorCode.INVALID_REQUEST)
    changed: list[str] = []
    for config in configs:
        operation = SET if is_whole else config.config_operation
        if operation not in range(4):
            return own, ANY
        if operation == DELETE:
            own.pop(config.name, None)
            if config.name not in SETTINGS:
                codes |= {ErrorCode.NONE, ErrorCode.INVALID_CONFIG}
        elif config.value is None:
            codes |= FAULTS
        elif operation == SET:
            changed.append(config.name)
            own[config.name] = config.value
        elif config.name not in SETTINGS:
            return own, ANY
        elif not SETTINGS[config.name].is_list:
            codes.add(ErrorCode.INVALID_CONFIG)
        else:
            changed.append(config.name)
            own[config.name] = _relisted(own.get(config.name, SETTINGS[config.name].default), operation, config.value)
    return own, with_settings(codes, [(name, own.get(name)) for name in changed if name in own])


def _relisted(now: str, operation: int, value: str) -> str:
    parts, given = [one for one in now.split(",") if one], value.split(",")
    if operation == APPEND:
        return ",".join(parts + [one for one in given if one not in parts])
    return ",".join(one for one in parts if one not in given)


def described(topics: Mapping[str, HasSettings], request: Any, version: int, response: Any) -> Complaints:
    """Judges the answer to a DescribeConfigs of topics."""
    counts = Counter((one.resource_type, one.resource_name) for one in request.resources)
    answers = {(one.resource_type, one.resource_name): one for one in response.results}
    if any(one.resource_type not in TYPES for one in request.resources):
        return
    for wanted in request.resources:
        place = (wanted.resource_type, wanted.resource_name)
        if wanted.resource_type != TOPIC or place not in answers or counts[place] > 1:
            continue
        topic, answer, where = (
            topics.get(wanted.resource_name),
            answers[place],
            f"DescribeConfigs of topic {place[1]!r}",
        )
        missing = ANY if wanted.resource_name.startswith("__") else MISSING
        yield from expect_code(where, answer.error_code, missing if topic is None else {0})
        if topic is None or answer.error_code or not topic.is_clear:
            continue
        keys = wanted.configuration_keys
        is_all = keys is None or (version < 1 and not keys)
        found = {one.name: one for one in answer.configs}
        for key in SETTINGS if is_all else [one for one in keys if one in SETTINGS]:
            if key not in found:
                yield f"{where}: {key} is missing"
                continue
            yield from expect(f"{where}: {key}", found[key].value, SETTINGS[key].told(topic.settings[key]))
            if version >= 1:
                is_own = found[key].config_source == DYNAMIC_TOPIC
                yield from expect(f"{where}: whether {key} is the topic's own", is_own, key in topic.own)


def with_settings(codes: set[int], settings: Sequence[tuple[str, str | None]]) -> frozenset[int]:
    """The error codes, plus those for invalid configs, plus NONE unless something is certainly wrong."""
    verdicts = [takes(name, value) for name, value in settings]
    is_refused = bool(codes)
    if any(value is None for _, value in settings):
        codes |= FAULTS
        is_refused = True
    if False in verdicts or None in verdicts:
        codes.add(ErrorCode.INVALID_CONFIG)
        is_refused = is_refused or False in verdicts
    if not is_refused:
        codes.add(ErrorCode.NONE)
    return frozenset(map(int, codes))
