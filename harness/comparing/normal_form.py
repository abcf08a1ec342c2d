"""Converts messages to plain data that can be compared between clusters, with stable names for arbitrary values.

Ids (of topics, producers, members, sessions), nodes, hosts and ports are named in the order of their first appearance
in a check: "topic id 1", "node 1". A time during the check is "now". Names that the check has created are replaced by
their labels, also within strings. All rules, with reasons: harness/comparing/rules.py.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from harness.comparing.glob import matches
from harness.comparing.observation import Plain
from harness.comparing.rules import RULES, Rule, Treatment
from harness.comparing.times import Window
from reference_broker.wire.primitives import MalformedRequest, Uuid, uuid_text
from reference_broker.wire.records import Batch, Record, iter_batches
from reference_broker.wire.schema import Field, is_in

SHORTEST_ID: Final = 13
"""Strings shorter than this contain no id and no time."""
LONG_NUMBER: Final = re.compile(r"-?\d{13,19}")
WHOLE_BYTES: Final = 64
"""Keys and values up to this many bytes are shown in full; longer ones by length and digest."""
UUID_TEXT: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


Plans = dict[tuple[str, type, int, str], tuple[tuple[Field, str, Rule | None], ...]]
"""(API, message class, version, path) → (field, path of the field, rule or None) for each field."""
PLANS: Final[Plans] = {}
"""Cache of plans for RULES."""
UNRULED: Final[Plans] = {}


class NormalForm:
    """The normal form in one check on one target; remembers the names assigned so far."""

    def __init__(self, window: Window, rules: Sequence[Rule] = RULES) -> None:
        self.window = window
        self._rules = rules
        self._plans: Plans = PLANS if rules is RULES else {} if rules else UNRULED
        self._labels: dict[str, str] = {}
        self._names: dict[tuple[str, object], str] = {}
        self._counts: dict[str, int] = {}
        self._ids: dict[str, str] = {}
        """Ids that may occur within strings → their names."""

    def label(self, real: str, label: str) -> None:
        """Defines the label that replaces a name created by the check."""
        self._labels[real] = label
        self._labels = dict(sorted(self._labels.items(), key=lambda pair: -len(pair[0])))

    def named(self, noun: str, value: object) -> str:
        """The stable name of a value; a new one is assigned at its first appearance."""
        name = self._names.get((noun, value))
        if name is None:
            self._counts[noun] = self._counts.get(noun, 0) + 1
            name = self._names[noun, value] = f"{noun} {self._counts[noun]}"
            if noun.endswith(" id") and isinstance(value, str):
                self._ids[value] = f"<{name}>"
        return name

    def text(self, text: str) -> str:
        """A string with the check's names replaced by labels, and ids and times replaced by stable names."""
        for real, label in self._labels.items():
            text = text.replace(real, label)
        if len(text) < SHORTEST_ID:
            return text
        for value, name in self._ids.items():
            text = text.replace(value, name)
        text = LONG_NUMBER.sub(self._number_in_text, text)
        return UUID_TEXT.sub(lambda found: f"<{self.named('uuid', found.group())}>", text)

    def _number_in_text(self, found: re.Match[str]) -> str:
        name = self.window.told_in_text(int(found.group()))
        return found.group() if name is None else f"<{name}>"

    def of(
        self,
        api: str,
        message: Any,
        version: int,
        now_ms: int,
        *,
        everything: bool = False,
        asked_ms: int | None = None,
    ) -> dict[str, Plain]:
        """The fields of a message that its version has, in normal form.

        `now_ms` is when it was sent or received; `asked_ms`, for an answer, when its request was sent. `everything`:
        the message answers a request without names, which asked for all topics, groups or resources.
        """
        self.window.last_ms = now_ms
        return _Walk(self, api, version, everything, asked_ms).fields(message, "")

    def plan(self, api: str, message: Any, version: int, path: str) -> tuple[tuple[Field, str, Rule | None], ...]:
        """The fields that a message at a path has in this version, each with its path and rule."""
        key = (api, type(message), version, path)
        found = self._plans.get(key)
        if found is None:
            fields = []
            for field in message.FIELDS:
                here = f"{path}.{field.name}" if path else field.name
                rule = self.rule(api, here)
                if is_in(version, field.versions):
                    fields.append((field, here, rule))
            found = self._plans[key] = tuple(fields)
        return found

    def rule(self, api: str, path: str) -> Rule | None:
        """The first rule for a field; None if there is none."""
        for rule in self._rules:
            if fnmatchcase(api, rule.api) and matches(path, rule.field):
                return rule
        return None

    def is_ours(self, element: Plain) -> bool:
        """Whether a label of this check is among the values of an element."""
        if isinstance(element, Mapping):
            return any(self.is_ours(value) for key, value in element.items())
        return isinstance(element, str) and element in self._labels.values()


class _Walk:
    """Converts one message."""

    def __init__(
        self, form: NormalForm, api: str, version: int, everything: bool = False, asked_ms: int | None = None
    ) -> None:
        self.form = form
        self.api = api
        self.version = version
        self.everything = everything
        self.asked_ms = asked_ms

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
            # Sort by texts without new names, so that names are then assigned in the same order on every target.
            walk = _Walk(_Unnamed(self.form), self.api, self.version, asked_ms=self.asked_ms)
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
        if rule is not None and rule.treatment is Treatment.SAID:
            return "some words"
        if rule is not None and rule.treatment is Treatment.SIGN:
            return value if value < 0 else "some"
        if rule is not None and rule.treatment is Treatment.THIS_REQUEST:
            return self.time(value, self.asked_ms)
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

    def time(self, value: int, since_ms: int | None = None) -> Plain:
        name = self.form.window.told(value, since_ms)
        return value if name is None else name

    def batches(self, data: Any) -> Plain:
        """Record batches as headers and records. Compressed bytes and checksums depend on the version of a library."""
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
    """A normal form that uses the existing names but assigns no new ones: values without a name are called "new …"."""

    def __init__(self, form: NormalForm) -> None:
        super().__init__(form.window, ())
        self._labels, self._names, self._ids = form._labels, form._names, form._ids

    def named(self, noun: str, value: object) -> str:
        return self._names.get((noun, value)) or f"new {noun}"


def _are_told_apart_by_name(value: Any, field: Field) -> bool:
    """Whether the first field of the elements is `name`, and the names are unique."""
    if field.kind != "struct" or field.of.FIELDS[0].name != "name":
        return False
    return len({one.name for one in value}) == len(value)


def _sort_key(plain: Plain) -> str:
    """The text by which elements are sorted. Messages come last, because they may differ between targets; arrays within
    the element are sorted."""
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
    """Bytes as a string if they are valid UTF-8 and short; else their length and digest, which keeps them distinct."""
    if value is None:
        return None
    data = bytes(value)
    if len(data) <= WHOLE_BYTES:
        try:
            return data.decode()
        except UnicodeDecodeError:
            pass
    return f"{len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()[:16]}…"
