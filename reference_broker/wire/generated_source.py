"""The text of the generated files: schemas in, Python source out. No file is read or written here."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from reference_broker.wire.primitives import parse_uuid
from reference_broker.wire.schema import ALWAYS, LAST, NEVER, Versions

INTEGERS = ("int8", "int16", "uint16", "int32", "uint32", "int64")
PYTHON_TYPES = {
    **dict.fromkeys(INTEGERS, "int"),
    "bool": "bool",
    "float64": "float",
    "string": "str",
    "bytes": "bytes",
    "records": "Records",
    "uuid": "Uuid",
}
ENTITIES = {
    "topicName": "TopicName",
    "groupId": "GroupId",
    "transactionalId": "TransactionalId",
    "producerId": "ProducerId",
    "brokerId": "BrokerId",
}


def snake(name: str) -> str:
    """Kafka's CamelCase as snake_case."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    return text + "_" if keyword.iskeyword(text) else text


def versions(text: str | None, absent: Versions = NEVER) -> Versions:
    """ "3+", "0-4", "2" or "none" as a range."""
    if text is None:
        return absent
    if text == "none":
        return NEVER
    if text.endswith("+"):
        return (int(text[:-1]), LAST)
    first, _, last = text.partition("-")
    return (int(first), int(last or first))


def versions_text(value: Versions) -> str:
    """A range for a reader."""
    if value[1] < value[0]:
        return "none"
    if value[0] == value[1]:
        return str(value[0])
    return f"{value[0]}+" if value[1] == LAST else f"{value[0]}-{value[1]}"


def default_of(field: Mapping[str, Any], kind: str, is_array: bool, is_struct: bool, nullable: Versions) -> str:
    """The Python expression of a field's default."""
    given = field.get("default")
    if given == "null":
        return "None"
    if is_array:
        return "()"
    if is_struct:
        return f"{kind}()"
    if kind in INTEGERS:
        return str(int(str(given or "0"), 0))
    if kind == "float64":
        return str(float(given or "0"))
    if kind == "bool":
        return str(str(given).lower() == "true")
    if kind == "uuid":
        return repr(bytes(parse_uuid(given))) if given else "ZERO_UUID"
    if kind == "records":
        return "None" if nullable != NEVER else 'b""'
    return repr(given or "") if kind == "string" else 'b""'


class FieldSource:
    """One field of a schema, as the two lines that it becomes."""

    def __init__(self, field: Mapping[str, Any]) -> None:
        self.name = snake(field["name"])
        self.is_array = field["type"].startswith("[]")
        self.kind = field["type"].removeprefix("[]")
        self.is_struct = self.kind[0].isupper()
        self.entity = ENTITIES.get(field.get("entityType", ""), "")
        self.nullable = versions(field.get("nullableVersions"))
        self.default = default_of(field, self.kind, self.is_array, self.is_struct, self.nullable)
        self.options = {
            "versions": (versions(field.get("versions") or field.get("taggedVersions"), ALWAYS), ALWAYS),
            "nullable": (self.nullable, NEVER),
            "tagged": (versions(field.get("taggedVersions")), NEVER),
            "tag": (field.get("tag", -1), -1),
            "ignorable": (field.get("ignorable", False), False),
            "flexible": (versions(field["flexibleVersions"]) if "flexibleVersions" in field else None, None),
            "entity": (field.get("entityType", ""), ""),
            "is_map_key": (field.get("mapKey", False), False),
            "is_array": (self.is_array, False),
        }

    @property
    def annotation(self) -> str:
        """Its Python type."""
        element = self.entity or PYTHON_TYPES.get(self.kind, self.kind)
        whole = f"tuple[{element}, ...]" if self.is_array else element
        may_be_none = self.nullable != NEVER or self.default == "None"
        return f"{whole} | None" if may_be_none else whole

    @property
    def attribute(self) -> str:
        """The attribute with its default."""
        default = self.default
        if self.entity and default not in ("None", "()"):
            default = f"{self.entity}({default})"
        if self.kind == "uuid" and default.startswith("b'"):
            default = f"Uuid({default})"
        return f"    {self.name}: {self.annotation} = {default}"

    @property
    def description(self) -> str:
        """Its entry in FIELDS."""
        kind = "struct" if self.is_struct else self.kind
        parts = [repr(self.name), repr(kind), f"default={self.default}"]
        if self.is_struct:
            parts.append(f"of={self.kind}")
        parts += [f"{name}={value!r}" for name, (value, usual) in self.options.items() if value != usual]
        return f"        Field({', '.join(parts)}),"


def structs_of(schema: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """(class name, fields) of the schema and all structs in it, inner ones first."""
    common = {struct["name"]: struct["fields"] for struct in schema.get("commonStructs", [])}
    seen: set[str] = set()

    def walk(name: str, fields: list[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        for field in fields:
            inner = field["type"].removeprefix("[]")
            if inner[0].isupper() and inner not in seen:
                yield from walk(inner, field.get("fields") or common[inner])
        if name not in seen:
            seen.add(name)
            yield name, fields

    yield from walk(schema["name"], schema["fields"])


def message_source(schema: Mapping[str, Any]) -> str:
    """The module of one schema."""
    valid, flexible = versions(schema["validVersions"]), versions(schema.get("flexibleVersions"), NEVER)
    kind, key = schema["type"], schema.get("apiKey")
    body: list[str] = []
    for name, fields in structs_of(schema):
        sources = [FieldSource(field) for field in fields]
        body += ["", "", f"class {name}(Struct, frozen=True, kw_only=True):"]
        body += [source.attribute for source in sources]
        body.append("    unknown_tagged_fields: tuple[tuple[int, bytes], ...] = ()")
        body.append(f"    FLEXIBLE: ClassVar[Versions] = {flexible!r}")
        if name == schema["name"]:
            body.append(f"    VALID: ClassVar[Versions] = {valid!r}")
            body.append(f"    API_KEY: ClassVar[int] = {-1 if key is None else key}")
        body += ["    FIELDS: ClassVar[tuple[Field, ...]] = (", *(source.description for source in sources), "    )"]
    text = "\n".join(body)
    entities = [name for name in (*ENTITIES.values(), "Uuid", "ZERO_UUID") if re.search(rf"\b{name}\b", text)]
    imports = [
        "from __future__ import annotations",
        "",
        "from typing import Any, ClassVar" if "Records" in text else "from typing import ClassVar",
        "",
        "from msgspec import Struct",
        "",
    ]
    if entities:
        imports.append(f"from reference_broker.wire.primitives import {', '.join(sorted(entities))}")
    imports.append("from reference_broker.wire.schema import Field, Versions")
    title = f"{schema['name']}: {kind}" + (f", key {key}" if key is not None else "")
    title += f", versions {versions_text(valid)}, flexible {versions_text(flexible)}."
    records = (
        "\n\nRecords = Any  # decoded: memoryview; encoded: any buffer, FileSlice, or a sequence of them"
        if ("Records" in text)
        else ""
    )
    header = f'"""{title}\n\nGenerated by reference_broker.wire.generate from Kafka\'s schema; do not edit.\n"""\n\n'
    return header + "\n".join(imports) + records + text + "\n"


LINE_LENGTH: Final = 120


def wrapped_call(name: str, arguments: list[str]) -> list[str]:
    """A call in a dict, laid out as the formatter would: on one line, else on three, else an argument a line."""
    inside = ", ".join(arguments)
    if len(line := f"    {name}({inside}),") <= LINE_LENGTH:
        return [line]
    body = [f"        {inside}"] if len(inside) + 8 <= LINE_LENGTH else [f"        {text}," for text in arguments]
    return [f"    {name}(", *body, "    ),"]


def api_keys_source(schemas: Mapping[str, Mapping[str, Any]]) -> str:
    """The module of all API keys."""
    requests = sorted((s for s in schemas.values() if s["type"] == "request"), key=lambda s: int(s["apiKey"]))
    names = {schema["apiKey"]: snake(schema["name"].removesuffix("Request")).upper() for schema in requests}
    lines = [
        '"""Every API of the protocol: key, versions, header versions, listeners.',
        "",
        "Generated by reference_broker.wire.generate from Kafka's schemas; do not edit.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from enum import IntEnum",
        "from typing import Final",
        "",
        "from reference_broker.wire.api import Api",
        "",
        "",
        "class ApiKey(IntEnum):",
        '    """The number that names an API in a request header."""',
        "",
        *(f"    {name} = {key}" for key, name in names.items()),
        "",
        "",
        "APIS: Final[dict[int, Api]] = {",
    ]
    for schema in requests:
        stem = schema["name"].removesuffix("Request")
        arguments = [
            str(schema["apiKey"]),
            repr(stem),
            repr(snake(stem)),
            repr(versions(schema["validVersions"])),
            repr(versions(schema.get("flexibleVersions"))),
            repr(tuple(schema.get("listeners", ()))),
            *(["latest_is_unstable=True"] if schema.get("latestVersionUnstable") else []),
        ]
        lines += wrapped_call(f"{schema['apiKey']}: Api", [text.replace("'", '"') for text in arguments])
    return "\n".join([*lines, "}", ""])


def errors_source(errors: tuple[tuple[int, str, bool], ...]) -> str:
    """The module of all error codes."""
    lines = [
        '"""Every error code of the protocol, and whether a client may retry.',
        "",
        "Generated by reference_broker.wire.generate from Kafka's own table; do not edit.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from enum import IntEnum",
        "from typing import Final",
        "",
        "",
        "class ErrorCode(IntEnum):",
        '    """A code in a response; 0 is success."""',
        "",
        *(f"    {name} = {code}" for code, name, _ in errors),
        "",
        "",
        "RETRIABLE: Final = frozenset(",
        "    {",
        *(f"        {code}," for code, _, retriable in errors if retriable),
        "    }",
        ")",
        "",
        "",
        "def is_retriable(code: int) -> bool:",
        '    """Whether Kafka\'s clients may send the same request again; unknown codes are not retriable."""',
        "    return code in RETRIABLE",
        "",
    ]
    return "\n".join(lines)
