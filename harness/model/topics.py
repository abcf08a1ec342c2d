"""Topics, a dict by name: judges and applies their creation, deletion, new partitions and configs, and Metadata.

Kafka's documents: the protocol guide and the topic configuration; KIP-516 (ids), KIP-339 (incremental alteration).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from harness.model.allowed import ANY, Complaints, expect, expect_code
from harness.model.log import OK, PartitionLog
from harness.model.settings import DEFAULTS, takes
from harness.model.topic_settings import altered, described, with_settings
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import ZERO_UUID

NAME: Final = re.compile(r"[a-zA-Z0-9._-]{1,249}")
MANY: Final = 1_000
"""With more partitions per topic than this, the answer depends on limits of the whole cluster."""


@dataclass(slots=True)
class Topic:
    """An existing topic."""

    name: str
    id: bytes
    own: dict[str, str]
    """Configs that are set on the topic itself."""
    settings: dict[str, str] = field(default_factory=dict)
    """All effective configs, including defaults; the logs share this dict."""
    logs: list[PartitionLog] = field(default_factory=list)
    is_clear: bool = True
    """Whether the model knows the topic's configs. Once false, they are not judged."""

    def apply(self, own: dict[str, str]) -> None:
        """Replaces the configs that are set on the topic itself."""
        self.own = own
        self.settings.clear()
        self.settings.update({**DEFAULTS, **own})

    def widen(self, count: int) -> None:
        """Adds partitions until there are `count`."""
        self.logs += [PartitionLog(self.settings) for _ in range(count - len(self.logs))]


class Topics:
    """All topics of the sequence."""

    def __init__(self) -> None:
        self.by_name: dict[str, Topic] = {}

    def by_id(self, topic_id: bytes) -> Topic | None:
        """The topic with this id; None if there is none."""
        if topic_id == ZERO_UUID:
            return None
        return next((topic for topic in self.by_name.values() if topic.id == topic_id), None)

    # -- create and delete --------------------------------------------------------------------------------------

    def created(self, request: Any, version: int, response: Any) -> Complaints:
        """Judges the answer to a CreateTopics, and adds the created topics."""
        counts = Counter(wanted.name for wanted in request.topics)
        found = {one.name: one for one in response.topics}
        yield from expect("CreateTopics: the topics answered for", sorted(found), sorted(counts))
        for wanted in request.topics:
            if (answer := found.get(wanted.name)) is not None and (
                counts[wanted.name] == 1 or wanted is request.topics[0]
            ):
                is_twice = counts[wanted.name] > 1
                yield from self._created(wanted, version, answer, is_twice, request.validate_only, set(counts))

    def _created(
        self, wanted: Any, version: int, answer: Any, is_twice: bool, is_trial: bool, in_this: set[str]
    ) -> Complaints:
        where = f"CreateTopics of {wanted.name!r}"
        allowed = frozenset({int(ErrorCode.INVALID_REQUEST)}) if is_twice else self._creation_codes(wanted, in_this)
        yield from expect_code(where, answer.error_code, allowed)
        if answer.error_code or is_trial:
            return
        own = {config.name: config.value for config in wanted.configs if config.value is not None}
        topic = Topic(wanted.name, answer.topic_id, {})
        topic.apply(own)
        topic.is_clear = allowed != ANY and all(takes(name, value) for name, value in own.items())
        count = len(wanted.assignments) or wanted.num_partitions
        if count == -1:
            count = answer.num_partitions if version >= 5 else 1
        topic.widen(count)
        self.by_name[wanted.name] = topic
        if version >= 5:
            yield from expect(f"{where}: number of partitions", answer.num_partitions, count)
        if version >= 7 and answer.topic_id == ZERO_UUID:
            yield f"{where}: a topic that was created has no id"

    def _creation_codes(self, wanted: Any, in_this: set[str]) -> frozenset[int]:
        codes: set[int] = set()
        if not _is_name(wanted.name):
            codes.add(ErrorCode.INVALID_TOPIC_EXCEPTION)
        elif wanted.name.startswith("__") or wanted.assignments or wanted.num_partitions > MANY:
            return ANY
        if wanted.name in self.by_name:
            codes.add(ErrorCode.TOPIC_ALREADY_EXISTS)
        elif any(one.replace(".", "_") == wanted.name.replace(".", "_") for one in self.by_name):
            codes.add(ErrorCode.INVALID_TOPIC_EXCEPTION)
            if self.by_name.keys() & in_this:  # the colliding topic may have been created by this same request
                return ANY
        if wanted.num_partitions < -1 or wanted.num_partitions == 0:
            codes.add(ErrorCode.INVALID_PARTITIONS)
        if wanted.replication_factor not in (-1, 1):
            codes.add(ErrorCode.INVALID_REPLICATION_FACTOR)
        names = [config.name for config in wanted.configs]
        if len(set(names)) < len(names):
            return ANY
        return with_settings(codes, [(config.name, config.value) for config in wanted.configs])

    def deleted(self, request: Any, version: int, response: Any) -> Complaints:
        """Judges the answer to a DeleteTopics, and removes the deleted topics."""
        if version < 6:
            asked = [(name, ZERO_UUID) for name in request.topic_names]
        else:
            asked = [(one.name, one.topic_id) for one in request.topics]
        meant = [(self.by_name.get(name) if name is not None else self.by_id(id_)) for name, id_ in asked]
        is_plain = len(set(asked)) == len(asked) and all((name is None) != (id_ == ZERO_UUID) for name, id_ in asked)
        is_plain = is_plain and all(one is None or meant.count(one) == 1 for one in meant)
        for name, topic_id in asked if is_plain else ():
            topic = self.by_name.get(name) if name is not None else self.by_id(topic_id)
            where = f"DeleteTopics of {name if name is not None else topic_id.hex()!r}"
            answers = [
                one for one in response.responses if name in (None, one.name) and topic_id in (ZERO_UUID, one.topic_id)
            ]
            if not answers:
                yield f"{where}: no answer for it"
                continue
            missing = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION if name is not None else ErrorCode.UNKNOWN_TOPIC_ID
            allowed = OK if topic is not None else frozenset({int(missing), int(ErrorCode.INVALID_REQUEST)})
            yield from expect_code(where, answers[0].error_code, ANY if (name or "").startswith("__") else allowed)
        for one in response.responses:
            gone = self.by_name.get(one.name) or self.by_id(one.topic_id)
            if gone is not None and not one.error_code:
                del self.by_name[gone.name]

    def widened(self, request: Any, version: int, response: Any) -> Complaints:
        """Judges the answer to a CreatePartitions, and adds the partitions."""
        counts = Counter(wanted.name for wanted in request.topics)
        for wanted in request.topics:
            answer = next((one for one in response.results if one.name == wanted.name), None)
            where = f"CreatePartitions of {wanted.name!r}"
            if answer is None:
                yield f"{where}: no answer for it"
                continue
            topic = self.by_name.get(wanted.name)
            allowed = OK
            if wanted.assignments is not None or wanted.count > MANY or wanted.name.startswith("__"):
                allowed = ANY
            elif counts[wanted.name] > 1:
                allowed = frozenset({int(ErrorCode.INVALID_REQUEST)})
            elif topic is None:
                allowed = frozenset({int(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION), int(ErrorCode.INVALID_TOPIC_EXCEPTION)})
            elif wanted.count <= len(topic.logs):
                allowed = frozenset({int(ErrorCode.INVALID_PARTITIONS)})
            yield from expect_code(where, answer.error_code, allowed)
            if topic is not None and not answer.error_code and not request.validate_only:
                topic.widen(wanted.count)

    def altered(self, request: Any, version: int, response: Any) -> Complaints:
        """Judges the answer to an IncrementalAlterConfigs or AlterConfigs, and applies accepted changes."""
        return altered(self.by_name, request, response)

    def described(self, request: Any, version: int, response: Any) -> Complaints:
        """Judges the answer to a DescribeConfigs of topics."""
        return described(self.by_name, request, version, response)

    # -- metadata -----------------------------------------------------------------------------------------------

    def told(self, request: Any, version: int, response: Any) -> Complaints:
        """Judges the topics in the answer to a Metadata."""
        by_name = {one.name: one for one in response.topics}
        is_all = request.topics is None
        if not is_all and len({one.name is None for one in request.topics}) > 1:
            return  # requests that name topics by name and by id at once are not judged
        if not is_all and any(
            version < 12 if one.name is None else one.topic_id != ZERO_UUID for one in request.topics
        ):
            return
        for topic in self._asked(request):
            answer = by_name.get(topic.name)
            if answer is None:
                yield f"Metadata: nothing of topic {topic.name!r}"
                continue
            yield from expect_code(f"Metadata of topic {topic.name!r}", answer.error_code, OK)
            found = [one.partition_index for one in sorted(answer.partitions, key=lambda one: one.partition_index)]
            yield from expect(f"Metadata of topic {topic.name!r}: partitions", found, list(range(len(topic.logs))))
            if version >= 10 and topic.id != ZERO_UUID:
                yield from expect(f"Metadata of topic {topic.name!r}: id", answer.topic_id, topic.id)
        for one in () if is_all else request.topics:
            name = one.name
            is_known = name in self.by_name or (name is None and self.by_id(one.topic_id) is not None)
            if name is not None and not is_known and name in by_name and not request.allow_auto_topic_creation:
                missing = (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.INVALID_TOPIC_EXCEPTION)
                codes = ANY if name.startswith("__") else frozenset(map(int, missing))
                yield from expect_code(f"Metadata of topic {name!r}", by_name[name].error_code, codes)

    def _asked(self, request: Any) -> Iterator[Topic]:
        """The existing topics that the request asks for."""
        for topic in self.by_name.values():
            if request.topics is None or any(
                one.name == topic.name or (one.name is None and one.topic_id == topic.id != ZERO_UUID)
                for one in request.topics
            ):
                yield topic


def _is_name(name: str) -> bool:
    return bool(NAME.fullmatch(name)) and name not in (".", "..")
