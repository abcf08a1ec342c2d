"""Messages as plain data in which two clusters can be compared: what differs by chance gets a stable name.

Ids (of topics, producers, members, sessions), nodes, hosts and ports are named in the order in which they first appear
in a check: "topic id 1", "node 1". A time near the present is "now". Names that a check made for itself are replaced by
the labels it gave them, in texts too. What a field needs beyond its type is a row of RULES, with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Final

from harness.comparing.observation import Plain
from reference_broker.wire.primitives import MalformedRequest, Uuid, uuid_text
from reference_broker.wire.records import Batch, Record, iter_batches
from reference_broker.wire.schema import Field, is_in

SHORTEST_ID: Final = 13
"""Characters: a shorter text holds no id and no time."""
NEAR_MS: Final = 86_400_000
"""A time this close to the present is the present."""
LONG_NUMBER: Final = re.compile(r"-?\d{13,19}")
LONG_MAX: Final = 2**63 - 1
UUID_TEXT: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Treatment(StrEnum):
    """What to do with a field before two are compared."""

    NAMED = "named"
    """In order of first appearance; null, empty and negative values stay."""
    LEFT_OUT = "left out"
    UNORDERED = "unordered"
    """An array whose elements are sorted by their text."""
    OURS = "ours"
    """An array sorted by its elements' text; where all there is was asked for, only elements that a check's own name
    occurs in are kept."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How one field of one API is treated, and why."""

    api: str
    """Name or glob."""
    field: str
    """Path or glob, with [] for an array's element: "brokers[].host"."""
    treatment: Treatment
    reason: str
    noun: str = ""
    """What a NAMED value is called."""


_N, _L, _U, _O = Treatment.NAMED, Treatment.LEFT_OUT, Treatment.UNORDERED, Treatment.OURS

RULES: Final = (
    Rule("*", "*cluster_id", _N, "random for each cluster", "cluster id"),
    Rule("*", "*host", _N, "where a node listens is its own affair", "host"),
    Rule("*", "*port", _N, "where a node listens is its own affair", "port"),
    Rule("Produce", "responses", _U, "the order of a hash map"),
    Rule("Produce", "responses[].partition_responses", _U, "the order of a hash map"),
    Rule("Fetch", "session_id", _N, "random for each session", "session"),
    Rule("ApiVersions", "finalized_features_epoch", _N, "an offset of the metadata log, which grows", "offset"),
    Rule("ApiVersions", "supported_features", _U, "the order of a hash map"),
    Rule("ApiVersions", "finalized_features", _U, "the order of a hash map"),
    Rule("Metadata", "topics", _O, "a shared cluster holds the topics of other checks, in the order of a hash map"),
    Rule("Metadata", "topics[].partitions", _U, "the order of a hash set of the answers, until Kafka 4.3"),
    Rule("DeleteTopics", "responses", _U, "Kafka shuffles the answers (it hides what the caller may not see)"),
    Rule("CreateTopics", "topics", _U, "the order of a hash map"),
    Rule("CreateTopics", "topics[].configs", _U, "the order of a hash map"),
    Rule("CreatePartitions", "results", _U, "the order of a hash map"),
    Rule("DescribeConfigs", "results", _U, "Kafka shuffles the answers (it hides what the caller may not see)"),
    Rule("DescribeConfigs", "results[].configs", _U, "the order of a hash map"),
    Rule("IncrementalAlterConfigs", "responses", _U, "the order of a hash map"),
    Rule("AlterConfigs", "responses", _U, "the order of a hash map"),
    Rule("ListConfigResources", "config_resources", _O, "a shared cluster holds the resources of other checks"),
    Rule("ListGroups", "groups", _O, "a shared cluster holds the groups of other checks"),
    Rule("ListOffsets", "topics", _U, "the order of a hash map"),
    Rule("ListOffsets", "topics[].partitions", _U, "the order of a hash map"),
    Rule("DeleteRecords", "topics", _U, "the order of a hash map"),
    Rule("DeleteRecords", "topics[].partitions", _U, "the order of a hash map"),
    Rule("JoinGroup", "members", _U, "the order of a hash map"),
    Rule("DescribeGroups", "groups", _U, "by the group's coordinator, which a hash of its name chooses"),
    Rule("DescribeGroups", "groups[].members", _U, "the order of a hash map"),
    Rule("DeleteGroups", "results", _U, "by the group's coordinator, which a hash of its name chooses"),
    Rule("OffsetFetch", "groups", _U, "by the group's coordinator, which a hash of its name chooses"),
    Rule("OffsetFetch", "*topics", _U, "the order of a hash map, where all are asked for"),
    Rule("OffsetFetch", "*topics[].partitions", _U, "the order of a hash map, where all are asked for"),
    Rule("DescribeProducers", "topics[].partitions[].active_producers", _U, "the order of a hash map"),
    Rule("ConsumerGroupHeartbeat", "assignment.topic_partitions", _U, "the order of a hash map"),
    Rule("ShareGroupHeartbeat", "assignment.topic_partitions", _U, "the order of a hash map"),
    Rule("ShareGroupHeartbeat", "assignment.topic_partitions[].partitions", _U, "the order of a hash set"),
    Rule("ConsumerGroupHeartbeat", "assignment.topic_partitions[].partitions", _U, "the order of a hash set"),
    Rule("StreamsGroupHeartbeat", "*_tasks", _U, "the order of a hash map"),
    Rule("ConsumerGroupDescribe", "groups", _U, "by the group's coordinator, which a hash of its name chooses"),
    Rule("ConsumerGroupDescribe", "groups[].members", _U, "the order of a hash map"),
    Rule("ConsumerGroupDescribe", "*topic_partitions", _U, "the order of a hash map"),
    Rule("ShareGroupDescribe", "groups", _U, "by the group's coordinator, which a hash of its name chooses"),
    Rule("ShareGroupDescribe", "groups[].members", _U, "the order of a hash map"),
    Rule("ShareGroupDescribe", "*topic_partitions", _U, "the order of a hash map"),
    Rule("StreamsGroupDescribe", "groups", _U, "by the group's coordinator, which a hash of its name chooses"),
    Rule("StreamsGroupDescribe", "groups[].members", _U, "the order of a hash map"),
    Rule("AddPartitionsToTxn", "*topic_results", _U, "the order of a hash map"),
    Rule("AddPartitionsToTxn", "*results_by_partition", _U, "the order of a hash map"),
    Rule("AddPartitionsToTxn", "results_by_transaction", _U, "the order of a hash map"),
    Rule("TxnOffsetCommit", "topics", _U, "the order of a hash map"),
    Rule("DescribeTransactions", "transaction_states", _U, "by the coordinator, which a hash of the id chooses"),
    Rule("ShareFetch", "responses", _U, "the order of a hash map"),
    Rule("ShareFetch", "responses[].partitions", _U, "the order of a hash map"),
    Rule("ShareAcknowledge", "responses[].partitions", _U, "the order of a hash map"),
    Rule("ShareAcknowledge", "responses", _U, "the order of a hash map"),
    Rule("InitializeShareGroupState", "results", _U, "the order of a hash map"),
    Rule("ReadShareGroupState", "results", _U, "the order of a hash map"),
    Rule("WriteShareGroupState", "results", _U, "the order of a hash map"),
    Rule("DeleteShareGroupState", "results", _U, "the order of a hash map"),
    Rule("ReadShareGroupStateSummary", "results", _U, "the order of a hash map"),
    Rule("DescribeShareGroupOffsets", "groups", _U, "by the group's coordinator, which a hash of its name chooses"),
    Rule("DescribeShareGroupOffsets", "*topics", _U, "the order of a hash map"),
    Rule("DescribeLogDirs", "results[].log_dir", _N, "a path of the node's machine", "folder"),
    Rule("DescribeLogDirs", "results[].total_bytes", _L, "the size of the node's disk"),
    Rule("DescribeLogDirs", "results[].usable_bytes", _L, "the free space of the node's disk"),
    Rule("DescribeLogDirs", "results[].topics", _O, "a shared cluster holds the topics of other checks"),
    Rule("DescribeLogDirs", "results[].topics[].partitions", _U, "the order of a hash map"),
    Rule("DescribeQuorum", "*leader_epoch", _L, "counts the starts of the node, which other checks may restart"),
    Rule("DescribeQuorum", "*high_watermark", _L, "the metadata log grows all the time (a no-op record each 500 ms)"),
    Rule("DescribeQuorum", "*log_end_offset", _L, "the metadata log grows all the time (a no-op record each 500 ms)"),
)


Plans = dict[tuple[str, type, int, str], tuple[tuple[Field, str, Rule | None], ...]]
"""(API, class of a message, version, path) → its fields with their paths and rules."""
PLANS: Final[Plans] = {}
"""By RULES; made as they are needed."""
UNRULED: Final[Plans] = {}


class NormalForm:
    """The names given so far in one check on one target."""

    def __init__(self, rules: Sequence[Rule] = RULES) -> None:
        self._rules = rules
        self._plans: Plans = PLANS if rules is RULES else {} if rules else UNRULED
        self._labels: dict[str, str] = {}
        self._names: dict[tuple[str, object], str] = {}
        self._counts: dict[str, int] = {}
        self._ids: dict[str, str] = {}
        """Ids that may stand in texts → their names."""
        self.now_ms = 0
        """Time of the last message (ms)."""

    def label(self, real: str, label: str) -> None:
        """A name that the check made for itself, and what to call it."""
        self._labels[real] = label
        self._labels = dict(sorted(self._labels.items(), key=lambda pair: -len(pair[0])))

    def named(self, noun: str, value: object) -> str:
        """The stable name of a value, given at its first appearance."""
        name = self._names.get((noun, value))
        if name is None:
            self._counts[noun] = self._counts.get(noun, 0) + 1
            name = self._names[noun, value] = f"{noun} {self._counts[noun]}"
            if noun.endswith(" id") and isinstance(value, str):
                self._ids[value] = f"<{name}>"
        return name

    def text(self, text: str) -> str:
        """A text with the check's labels, and with ids that have a name or look like one."""
        for real, label in self._labels.items():
            text = text.replace(real, label)
        if len(text) < SHORTEST_ID:
            return text
        for value, name in self._ids.items():
            text = text.replace(value, name)
        text = LONG_NUMBER.sub(self._time_in_text, text)
        return UUID_TEXT.sub(lambda found: f"<{self.named('uuid', found.group())}>", text)

    def _time_in_text(self, found: re.Match[str]) -> str:
        number = int(found.group())
        if abs(number - self.now_ms) < NEAR_MS:
            return "<now>"
        return "<now less the largest time>" if abs(number + LONG_MAX - self.now_ms) < NEAR_MS else found.group()

    def of(self, api: str, message: Any, version: int, now_ms: int, *, everything: bool = False) -> dict[str, Plain]:
        """A message's fields that the version has, in normal form.

        `everything`: the message answers a request that named nothing, and so was for all there is.
        """
        self.now_ms = now_ms
        return _Walk(self, api, version, now_ms, everything).fields(message, "")

    def plan(self, api: str, message: Any, version: int, path: str) -> tuple[tuple[Field, str, Rule | None], ...]:
        """The fields of a message at a path that are looked at, with their own paths and rules."""
        key = (api, type(message), version, path)
        found = self._plans.get(key)
        if found is None:
            fields = []
            for field in message.FIELDS:
                here = f"{path}.{field.name}" if path else field.name
                rule = self.rule(api, here)
                if is_in(version, field.versions) and (rule is None or rule.treatment is not Treatment.LEFT_OUT):
                    fields.append((field, here, rule))
            found = self._plans[key] = tuple(fields)
        return found

    def rule(self, api: str, path: str) -> Rule | None:
        """The first rule for a field."""
        for rule in self._rules:
            if fnmatchcase(api, rule.api) and fnmatchcase(path, rule.field.replace("[", "[[]")):
                return rule
        return None

    def is_ours(self, element: Plain) -> bool:
        """Whether a name of the check's own, as labelled, is one of an element's values."""
        if isinstance(element, Mapping):
            return any(self.is_ours(value) for key, value in element.items())
        return isinstance(element, str) and element in self._labels.values()


class _Walk:
    """One message on its way to the normal form."""

    def __init__(self, form: NormalForm, api: str, version: int, now_ms: int, everything: bool = False) -> None:
        self.form = form
        self.api = api
        self.version = version
        self.now_ms = now_ms
        self.everything = everything

    def fields(self, message: Any, path: str) -> dict[str, Plain]:
        found: dict[str, Plain] = {}
        for field, here, rule in self.form.plan(self.api, message, self.version, path):
            found[field.name] = self.value(getattr(message, field.name), field, here, rule)
        if message.unknown_tagged_fields:
            found["unknown_tagged_fields"] = [[tag, data.hex()] for tag, data in message.unknown_tagged_fields]
        return found

    def value(self, value: Any, field: Field, path: str, rule: Rule | None) -> Plain:
        if value is None:
            return None
        if not field.is_array:
            return self.scalar(value, field, path, rule)
        inner = None if rule is None or rule.treatment is not Treatment.NAMED else rule
        if rule is None or inner is not None:
            return [self.scalar(one, field, f"{path}[]", inner) for one in value]
        if rule.treatment is Treatment.UNORDERED and len(value) > 1 and _are_told_apart_by_name(value, field):
            return [self.scalar(one, field, f"{path}[]", None) for one in sorted(value, key=self.name_of)]
        is_ours_only = rule.treatment is Treatment.OURS and self.everything
        if len(value) > 1 or is_ours_only:
            # Sorted by a text without this walk's names, so that the names are then given in the same order everywhere.
            walk = _Walk(_Unnamed(self.form), self.api, self.version, self.now_ms)
            seen = [(walk.scalar(one, field, "", None), at) for at, one in enumerate(value)]
            chosen = sorted(
                (_sort_key(plain), at) for plain, at in seen if not is_ours_only or self.form.is_ours(plain)
            )
            value = [value[at] for _, at in chosen]
        return [self.scalar(one, field, f"{path}[]", None) for one in value]

    def name_of(self, element: Any) -> tuple[bool, str]:
        return (False, "") if element.name is None else (True, self.form.text(element.name))

    def scalar(self, value: Any, field: Field, path: str, rule: Rule | None) -> Plain:
        if rule is not None and rule.treatment is Treatment.NAMED:
            return value if _is_absent(value) else self.form.named(rule.noun, value)
        if field.kind == "struct":
            return self.fields(value, path)
        if field.kind == "uuid":
            return self.uuid(value, field)
        if field.kind == "records":
            return self.batches(value)
        if field.kind == "bytes":
            return bytes(value).hex()
        if field.kind == "string":
            return self.form.text(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return self.number(value, field)
        return float(value) if field.kind == "float64" else bool(value)

    def uuid(self, value: Uuid, field: Field) -> str:
        if not any(value):
            return "zero"
        noun = "topic id" if "topic" in field.name else "directory id" if "director" in field.name else "some id"
        return self.form.named(noun, uuid_text(value))

    def number(self, value: int, field: Field) -> Plain:
        if field.entity in ("brokerId", "producerId") and value >= 0:
            return self.form.named("node" if field.entity == "brokerId" else "producer", value)
        return self.time(value) if field.kind == "int64" else value

    def time(self, value: int) -> Plain:
        return "now" if abs(value - self.now_ms) < NEAR_MS else value

    def batches(self, data: Any) -> Plain:
        """Record batches by what is in them: compressed bytes and checksums depend on a library's version."""
        view = memoryview(data)
        found: list[Plain] = []
        size = 0
        try:
            for batch in iter_batches(view):
                size += batch.header.size_in_bytes
                found.append(self.batch(batch))
        except MalformedRequest as trouble:
            return [*found, f"malformed: {trouble}"]
        return [*found, f"{len(view) - size} bytes of a batch cut short"] if len(view) > size else found

    def batch(self, batch: Batch) -> Plain:
        header = batch.header
        return {
            "base_offset": header.base_offset,
            "last_offset": header.last_offset,
            "partition_leader_epoch": header.partition_leader_epoch,
            "attributes": header.attributes,
            "base_timestamp": self.time(header.base_timestamp),
            "max_timestamp": self.time(header.max_timestamp),
            "producer_id": self.form.named("producer", header.producer_id) if header.has_producer_id else -1,
            "producer_epoch": header.producer_epoch,
            "base_sequence": header.base_sequence,
            "crc": "valid" if batch.crc_is_valid() else "invalid",
            "records": [self.record(record) for record in batch.records()],
        }

    def record(self, record: Record) -> Plain:
        return {
            "offset": record.offset,
            "timestamp": self.time(record.timestamp),
            "key": _bytes_text(record.key),
            "value": _bytes_text(record.value),
            "headers": [[name, _bytes_text(value)] for name, value in record.headers],
        }


class _Unnamed(NormalForm):
    """A form that knows the names so far, and gives no new ones: what has none is called "new"."""

    def __init__(self, form: NormalForm) -> None:
        super().__init__(())
        self._labels, self._names, self._ids = form._labels, form._names, form._ids
        self.now_ms = form.now_ms

    def named(self, noun: str, value: object) -> str:
        return self._names.get((noun, value)) or f"new {noun}"


def _are_told_apart_by_name(value: Any, field: Field) -> bool:
    """Whether a name comes first in each element, of all that is in it, and no two have the same."""
    if field.kind != "struct" or field.of.FIELDS[0].name != "name":
        return False
    return len({one.name for one in value}) == len(value)


def _sort_key(plain: Plain) -> str:
    """A text of an element, with what is said in words last (words may differ where all else is the same), and arrays
    within it in an order of their own."""
    if isinstance(plain, Mapping):
        words = [value for name, value in plain.items() if name.endswith("message")]
        return repr(
            [*((name, _sort_key(value)) for name, value in plain.items() if not name.endswith("message")), words]
        )
    if isinstance(plain, Sequence) and not isinstance(plain, str):
        return repr(sorted(map(_sort_key, plain)))
    return repr(plain)


def _is_absent(value: object) -> bool:
    return value in (None, "", b"") or (isinstance(value, int) and value < 0)


def _bytes_text(value: bytes | None) -> str | None:
    if value is None:
        return None
    text = bytes(value).decode("utf-8", "replace")
    return text if len(text) <= 64 and "\ufffd" not in text else f"{len(value)} bytes"
