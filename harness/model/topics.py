"""Topics as a dict: created, deleted, widened, altered and described. KRaft's controller decides; one node serves.

Kafka's documents: the protocol guide and the topic configuration; KIP-516 (ids), KIP-339 (incremental alteration).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from harness.model.allowed import ANY, Complaints, code_kept, kept
from harness.model.log import OK, PartitionLog
from harness.model.settings import DEFAULTS, SETTINGS, takes
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import ZERO_UUID

TOPIC: Final = 2
"""Type of a config resource."""
SET, DELETE, APPEND, SUBTRACT = range(4)
DYNAMIC_TOPIC: Final = 1
"""Source of a setting of the topic's own."""
NAME: Final = re.compile(r"[a-zA-Z0-9._-]{1,249}")
MANY: Final = 1_000
"""Partitions of one topic beyond which limits of the whole cluster decide."""


@dataclass(slots=True)
class Topic:
    """A topic that is there."""

    name: str
    id: bytes
    own: dict[str, str]
    """Settings of its own."""
    settings: dict[str, str] = field(default_factory=dict)
    """All that are in force; each log looks at this same dict."""
    logs: list[PartitionLog] = field(default_factory=list)
    is_clear: bool = True
    """False once something happened to its settings of which the model has no opinion."""

    def apply(self, own: dict[str, str]) -> None:
        """Replaces its own settings."""
        self.own = own
        self.settings.clear()
        self.settings.update({**DEFAULTS, **own})

    def widen(self, count: int) -> None:
        """Adds partitions up to a count."""
        self.logs += [PartitionLog(self.settings) for _ in range(count - len(self.logs))]


class Topics:
    """All topics of the sequence."""

    def __init__(self) -> None:
        self.by_name: dict[str, Topic] = {}

    def by_id(self, topic_id: bytes) -> Topic | None:
        """The topic with an id; None where none has it."""
        return next((topic for topic in self.by_name.values() if topic.id == topic_id), None)

    # -- create and delete --------------------------------------------------------------------------------------

    def created(self, request: Any, version: int, response: Any) -> Complaints:
        """CreateTopics."""
        counts = Counter(wanted.name for wanted in request.topics)
        found = {one.name: one for one in response.topics}
        yield from kept("CreateTopics: the topics answered for", sorted(found), sorted(counts))
        for wanted in request.topics:
            if (answer := found.get(wanted.name)) is not None and (
                counts[wanted.name] == 1 or wanted is request.topics[0]
            ):
                is_twice = counts[wanted.name] > 1
                yield from self._created(wanted, version, answer, is_twice, request.validate_only)

    def _created(self, wanted: Any, version: int, answer: Any, is_twice: bool, is_trial: bool) -> Complaints:
        where = f"CreateTopics of {wanted.name!r}"
        allowed = frozenset({int(ErrorCode.INVALID_REQUEST)}) if is_twice else self._creation_codes(wanted)
        yield from code_kept(where, answer.error_code, allowed)
        if answer.error_code or is_trial:
            return
        own = {config.name: config.value for config in wanted.configs if config.value is not None}
        topic = Topic(wanted.name, answer.topic_id, {})
        topic.apply(own)
        count = len(wanted.assignments) or wanted.num_partitions
        if count == -1:
            count = answer.num_partitions if version >= 5 else 1
        topic.widen(count)
        self.by_name[wanted.name] = topic
        if version >= 5:
            yield from kept(f"{where}: number of partitions", answer.num_partitions, count)
        if version >= 7 and answer.topic_id == ZERO_UUID:
            yield f"{where}: a topic that was created has no id"

    def _creation_codes(self, wanted: Any) -> frozenset[int]:
        codes: set[int] = set()
        if not _is_name(wanted.name):
            codes.add(ErrorCode.INVALID_TOPIC_EXCEPTION)
        elif wanted.name.startswith("__") or wanted.assignments or wanted.num_partitions > MANY:
            return ANY
        if wanted.name in self.by_name:
            codes.add(ErrorCode.TOPIC_ALREADY_EXISTS)
        elif any(one.replace(".", "_") == wanted.name.replace(".", "_") for one in self.by_name):
            codes.add(ErrorCode.INVALID_TOPIC_EXCEPTION)
        if wanted.num_partitions < -1 or wanted.num_partitions == 0:
            codes.add(ErrorCode.INVALID_PARTITIONS)
        if wanted.replication_factor not in (-1, 1):
            codes.add(ErrorCode.INVALID_REPLICATION_FACTOR)
        return _with_settings(codes, [(config.name, config.value) for config in wanted.configs])

    def deleted(self, request: Any, version: int, response: Any) -> Complaints:
        """DeleteTopics."""
        if version < 6:
            asked = [(name, ZERO_UUID) for name in request.topic_names]
        else:
            asked = [(one.name, one.topic_id) for one in request.topics]
        found = {(one.name, bytes(one.topic_id)): one for one in response.responses}
        for name, topic_id in asked:
            topic = self.by_name.get(name) if name is not None else self.by_id(topic_id)
            answer = next(
                (one for (own, id_), one in found.items() if own == name or (name is None and id_ == topic_id)), None
            )
            if len(set(asked)) < len(asked) or (name is not None and topic_id != ZERO_UUID):
                continue
            if answer is None:
                yield f"DeleteTopics of {name or topic_id!r}: no answer for it"
                continue
            missing = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION if name is not None else ErrorCode.UNKNOWN_TOPIC_ID
            allowed = OK if topic is not None else frozenset({int(missing), int(ErrorCode.INVALID_REQUEST)})
            if topic is None and (name or "").startswith("__"):
                allowed = ANY
            yield from code_kept(f"DeleteTopics of {name or topic_id!r}", answer.error_code, allowed)
            if topic is not None and not answer.error_code:
                del self.by_name[topic.name]

    def widened(self, request: Any, version: int, response: Any) -> Complaints:
        """CreatePartitions."""
        counts = Counter(wanted.name for wanted in request.topics)
        for wanted in request.topics:
            answer = next((one for one in response.results if one.name == wanted.name), None)
            where = f"CreatePartitions of {wanted.name!r}"
            if answer is None:
                yield f"{where}: no answer for it"
                continue
            topic = self.by_name.get(wanted.name)
            allowed = OK
            if wanted.assignments or wanted.count > MANY or wanted.name.startswith("__"):
                allowed = ANY
            elif counts[wanted.name] > 1:
                allowed = frozenset({int(ErrorCode.INVALID_REQUEST)})
            elif topic is None:
                allowed = frozenset({int(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION), int(ErrorCode.INVALID_TOPIC_EXCEPTION)})
            elif wanted.count <= len(topic.logs):
                allowed = frozenset({int(ErrorCode.INVALID_PARTITIONS)})
            yield from code_kept(where, answer.error_code, allowed)
            if topic is not None and not answer.error_code and not request.validate_only:
                topic.widen(wanted.count)

    # -- settings -----------------------------------------------------------------------------------------------

    def altered(self, request: Any, version: int, response: Any) -> Complaints:
        """IncrementalAlterConfigs and AlterConfigs, of topics."""
        is_whole = not hasattr(request.resources[0].configs[0], "config_operation") if _has_configs(request) else None
        if is_whole is None:
            is_whole = "Incremental" not in type(request).__name__
        counts = Counter((one.resource_type, one.resource_name) for one in request.resources)
        for wanted in request.resources:
            name = wanted.resource_name
            answer = next(
                (one for one in response.responses if (one.resource_type, one.resource_name) == (TOPIC, name)), None
            )
            if wanted.resource_type != TOPIC or answer is None or counts[TOPIC, name] > 1:
                continue
            topic = self.by_name.get(name)
            where = f"{type(request).__name__.removesuffix('Request')} of topic {name!r}"
            if topic is None:
                allowed = frozenset(
                    {
                        int(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
                        int(ErrorCode.INVALID_TOPIC_EXCEPTION),
                        int(ErrorCode.INVALID_REQUEST),
                    }
                )
                yield from code_kept(
                    where, answer.error_code, ANY if name.startswith("__") else allowed | _faults(wanted)
                )
                continue
            own, allowed = self._alteration(topic, wanted.configs, is_whole)
            if not topic.is_clear:
                allowed = ANY
            yield from code_kept(where, answer.error_code, allowed)
            if not answer.error_code and not request.validate_only:
                topic.is_clear = topic.is_clear and allowed != ANY
                topic.apply(own)

    @staticmethod
    def _alteration(topic: Topic, configs: Sequence[Any], is_whole: bool) -> tuple[dict[str, str], frozenset[int]]:
        """(the topic's own settings afterwards, codes allowed)."""
        own = {} if is_whole else dict(topic.own)
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
                continue
            if config.value is None:
                codes |= {ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_CONFIG}
                continue
            changed.append(config.name)
            if operation == SET:
                own[config.name] = config.value
                continue
            setting = SETTINGS.get(config.name)
            if setting is None or not setting.is_list:
                codes.add(ErrorCode.INVALID_CONFIG)
                continue
            now = own.get(config.name, setting.default)
            parts, given = [one for one in now.split(",") if one], config.value.split(",")
            kept_parts = [one for one in parts if one not in given]
            own[config.name] = ",".join(
                parts + [one for one in given if one not in parts] if operation == APPEND else kept_parts
            )
        return own, _with_settings(codes, [(name, own.get(name)) for name in changed if name in own])

    def described(self, request: Any, version: int, response: Any) -> Complaints:
        """DescribeConfigs, of topics."""
        for wanted in request.resources:
            name = wanted.resource_name
            answer = next(
                (one for one in response.results if (one.resource_type, one.resource_name) == (TOPIC, name)), None
            )
            if wanted.resource_type != TOPIC or answer is None:
                continue
            topic, where = self.by_name.get(name), f"DescribeConfigs of topic {name!r}"
            missing = frozenset({int(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION), int(ErrorCode.INVALID_TOPIC_EXCEPTION)})
            yield from code_kept(where, answer.error_code, OK if topic else ANY if name.startswith("__") else missing)
            if topic is None or answer.error_code or not topic.is_clear:
                continue
            keys = wanted.configuration_keys
            found = {one.name: one for one in answer.configs}
            for key in (
                SETTINGS if keys is None or (version < 1 and not keys) else [one for one in keys if one in SETTINGS]
            ):
                if key not in found:
                    yield f"{where}: {key} is missing"
                    continue
                yield from kept(f"{where}: {key}", found[key].value, topic.settings[key])
                if version >= 1:
                    is_own = found[key].config_source == DYNAMIC_TOPIC
                    yield from kept(f"{where}: whether {key} is the topic's own", is_own, key in topic.own)

    # -- metadata -----------------------------------------------------------------------------------------------

    def told(self, request: Any, version: int, response: Any) -> Complaints:
        """Metadata."""
        by_name = {one.name: one for one in response.topics}
        is_all = request.topics is None
        for topic in self._asked(request):
            answer = by_name.get(topic.name)
            if answer is None:
                yield f"Metadata: nothing of topic {topic.name!r}"
                continue
            yield from code_kept(f"Metadata of topic {topic.name!r}", answer.error_code, OK)
            found = [one.partition_index for one in sorted(answer.partitions, key=lambda one: one.partition_index)]
            yield from kept(f"Metadata of topic {topic.name!r}: partitions", found, list(range(len(topic.logs))))
            if version >= 10 and topic.id != ZERO_UUID:
                yield from kept(f"Metadata of topic {topic.name!r}: id", answer.topic_id, topic.id)
        for one in () if is_all else request.topics:
            name = one.name
            is_known = name in self.by_name or (name is None and self.by_id(one.topic_id) is not None)
            if name is not None and not is_known and name in by_name and not request.allow_auto_topic_creation:
                missing = (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.INVALID_TOPIC_EXCEPTION)
                codes = ANY if name.startswith("__") else frozenset(map(int, missing))
                yield from code_kept(f"Metadata of topic {name!r}", by_name[name].error_code, codes)

    def _asked(self, request: Any) -> Iterator[Topic]:
        """The topics that are there and were asked for."""
        for topic in self.by_name.values():
            if request.topics is None or any(
                one.name == topic.name or (one.name is None and one.topic_id == topic.id) for one in request.topics
            ):
                yield topic


def _has_configs(request: Any) -> bool:
    return bool(request.resources and request.resources[0].configs)


def _is_name(name: str) -> bool:
    return bool(NAME.fullmatch(name)) and name not in (".", "..")


def _faults(wanted: Any) -> frozenset[int]:
    """Refusals that settings deserve by themselves, where the topic is not there either."""
    return frozenset({int(ErrorCode.INVALID_CONFIG), int(ErrorCode.INVALID_REQUEST)}) if wanted.configs else frozenset()


def _with_settings(codes: set[int], settings: list[tuple[str, str | None]]) -> frozenset[int]:
    """The codes, and those that settings deserve; NONE where nothing is certainly wrong."""
    verdicts = [takes(name, value) for name, value in settings]
    is_refused = bool(codes)
    if any(value is None for _, value in settings):
        codes |= {ErrorCode.INVALID_CONFIG, ErrorCode.INVALID_REQUEST}
        is_refused = True
    if False in verdicts or None in verdicts:
        codes.add(ErrorCode.INVALID_CONFIG)
        is_refused = is_refused or False in verdicts
    if not is_refused:
        codes.add(ErrorCode.NONE)
    return frozenset(map(int, codes))
