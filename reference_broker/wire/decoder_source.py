"""Writes the Python text of a decoder. The text is straight-line; see `codec`."""

from __future__ import annotations

import struct
from typing import Any

from reference_broker.wire.schema import NEVER, Field, is_in

FORMATS = {
    "bool": "?",
    "int8": "b",
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "float64": "d",
    "uuid": "16s",
}
SIZES = {"bool": 1, "int8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8, "float64": 8, "uuid": 16}


def is_flexible(cls: Any, field: Field | None, version: int) -> bool:
    """Whether a struct, or one field of it, is written in the compact form."""
    versions = cls.FLEXIBLE if field is None or field.flexible is None else field.flexible
    return is_in(version, versions)


def minimum_size(cls: Any, field: Field, version: int) -> int:
    """The fewest bytes that one element of a field can take, at least 1."""
    if field.kind in SIZES:
        return SIZES[field.kind]
    compact = is_flexible(cls, field, version)
    if field.kind == "struct":
        plain = [f for f in field.of.FIELDS if is_in(version, f.versions) and not is_in(version, f.tagged)]
        least = sum(
            (1 if compact else 4) if f.is_array else minimum_size(field.of, f._replace(is_array=False), version)
            for f in plain
            if f.nullable == NEVER or f.kind != "struct"
        )
        return max(1, least + (1 if compact else 0))
    return 1 if compact else 2 if field.kind == "string" else 4


class DecoderSource:
    """One decoder's text as it grows, with the constants (classes, struct formats) that it names.

    Neighbouring fields of fixed size are read by one format, together with the length or the count of tagged fields
    that follows them: `_run` holds those that no line reads yet. It is empty wherever the text branches or loops.
    """

    def __init__(self, version: int) -> None:
        self.version = version
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {}
        self._names = 0
        self._run: list[tuple[str, int, str]] = []
        """(format, size, name) of each field."""

    def fresh(self, stem: str) -> str:
        """A local name not used before."""
        self._names += 1
        return f"{stem}{self._names}"

    def constant(self, stem: str, value: Any) -> str:
        """A global name bound to the value."""
        for name, known in self.constants.items():
            if known is value:
                return name
        name = f"{stem}_{len(self.constants)}"
        self.constants[name] = value
        return name

    def reader(self, layout: str) -> str:
        """A global name of what reads a format."""
        name = f"unpack_{layout.replace('?', 'o')}"
        self.constants.setdefault(name, struct.Struct(f">{layout}").unpack_from)
        return name

    def add(self, depth: int, *lines: str) -> None:
        """Append lines at an indentation."""
        self.lines += ["    " * depth + line for line in lines]

    def read_struct(self, cls: Any, depth: int, into: str) -> None:
        """Code that reads a struct's fields and binds the struct to `into`."""
        values: dict[str, str] = {}
        for field in cls.FIELDS:
            if not is_in(self.version, field.versions) or is_in(self.version, field.tagged):
                continue
            values[field.name] = self.fresh("v")
            self.read_field(cls, field, depth, values[field.name])
        made = f"{self.constant(cls.__name__, cls)}({', '.join(f'{name}={value}' for name, value in values.items())}"
        if is_flexible(cls, None, self.version):
            count, extras = self.fresh("n"), self.fresh("extras")
            self._run.append(("B", 1, count))
            self.read_run(depth)
            self.add(depth, f"if {count}:")
            self.read_tags(cls, depth + 1, count, extras)
            self.add(depth + 1, f"{into} = {made}{', ' if values else ''}**{extras})")
            self.add(depth, "else:")
            self.add(depth + 1, f"{into} = {made})")
        else:
            self.read_run(depth)
            self.add(depth, f"{into} = {made})")

    def read_run(self, depth: int) -> None:
        """Code that reads the fields that no line reads yet."""
        run, self._run = self._run, []
        if not run:
            return
        targets, size = ", ".join(name for _, _, name in run), sum(size for _, size, _ in run)
        if len(run) == 1 and run[0][0] == "B":
            self.add(depth, f"{targets} = buf[at]")
        else:
            comma = "," if len(run) == 1 else ""
            self.add(depth, f"{targets}{comma} = {self.reader(''.join(layout for layout, _, _ in run))}(buf, at)")
        self.add(depth, f"at += {size}")

    def read_length(self, depth: int, into: str, *, compact: bool, layout: str) -> None:
        """A length or count; -1 stands for null in either form."""
        if compact:
            self._run.append(("B", 1, into))
            self.read_run(depth)
            self.add(depth, f"if {into} > 127:")
            self.add(depth + 1, f"{into}, at = read_tail_of_varint(buf, at, {into})")
            self.add(depth, f"{into} -= 1")
        else:
            self._run.append((layout, 2 if layout == "h" else 4, into))
            self.read_run(depth)

    def otherwise(self, field: Field, depth: int, length: str, into: str, empty: str) -> None:
        """Code for a length that is not above zero, behind that for one that is."""
        self.add(depth, f"elif not {length}:")
        self.add(depth + 1, f"{into} = {empty}")
        if is_in(self.version, field.nullable):
            self.add(depth, f"elif {length} == -1:")
            self.add(depth + 1, f"{into} = None")
        self.add(depth, "else:")
        self.add(depth + 1, f"raise malformed('{field.name} has the invalid length %d' % {length}, at)")

    def read_field(self, cls: Any, field: Field, depth: int, into: str) -> None:
        """Code that reads one field, or notes one of fixed size."""
        compact = is_flexible(cls, field, self.version)
        if field.is_array:
            self.read_array(cls, field, depth, into, compact=compact)
        elif field.kind in FORMATS:
            self._run.append((FORMATS[field.kind], SIZES[field.kind], into))
        elif field.kind == "struct":
            self.read_nested(field, depth, into)
        else:
            self.read_bytes(field, depth, into, compact=compact)

    def read_bytes(self, field: Field, depth: int, into: str, *, compact: bool) -> None:
        """A string, bytes or records."""
        length, is_text = self.fresh("n"), field.kind == "string"
        self.read_length(depth, length, compact=compact, layout="h" if is_text else "i")
        self.add(depth, f"if {length} > 0:")
        self.add(depth + 1, f"if {length} > end - at:")
        self.add(depth + 2, f"raise malformed('{field.name} claims %d bytes' % {length}, at)")
        if is_text and compact:
            self.add(depth + 1, f"if {length} > 32767:")
            self.add(depth + 2, f"raise malformed('{field.name} is a string of %d bytes' % {length}, at)")
        part = f"buf[at:at + {length}]"
        if is_text:
            part = f"str({part}, 'utf-8', 'replace')"
        elif field.kind == "bytes":
            part = f"bytes({part})"
        self.add(depth + 1, f"{into} = {part}", f"at += {length}")
        self.otherwise(
            field, depth, length, into, "''" if is_text else "b''" if field.kind == "bytes" else "buf[at:at]"
        )

    def read_nested(self, field: Field, depth: int, into: str) -> None:
        """A struct in its place; a nullable one has a byte before it: below zero for null, in a tagged field zero."""
        if is_in(self.version, field.nullable):
            least = 1 if is_in(self.version, field.tagged) else 0
            self._run.append(("b", 1, into))
            self.read_run(depth)
            self.add(depth, f"if {into} < {least}:")
            self.add(depth + 1, f"{into} = None")
            self.add(depth, "else:")
            depth += 1
        self.read_struct(field.of, depth, into)

    def read_array(self, cls: Any, field: Field, depth: int, into: str, *, compact: bool) -> None:
        """An array; its count is checked against what is left before anything is made."""
        count = self.fresh("n")
        self.read_length(depth, count, compact=compact, layout="i")
        self.add(depth, f"if {count} > 0:")
        self.add(depth + 1, f"if {count} * {minimum_size(cls, field, self.version)} > end - at:")
        self.add(depth + 2, f"raise malformed('{field.name} claims %d elements' % {count}, at)")
        if field.kind in FORMATS and field.kind != "uuid":
            layout = FORMATS[field.kind]
            self.add(depth + 1, f"{into} = unpack_from('>%d{layout}' % {count}, buf, at)")
            self.add(depth + 1, f"at += {count} * {SIZES[field.kind]}")
        else:
            items, item = self.fresh("items"), self.fresh("item")
            self.add(depth + 1, f"{items} = []", f"for _ in range({count}):")
            self.read_field(cls, field._replace(is_array=False, nullable=NEVER), depth + 2, item)
            self.read_run(depth + 2)
            self.add(depth + 2, f"{items}.append({item})")
            self.add(depth + 1, f"{into} = tuple({items})")
        self.otherwise(field, depth, count, into, "()")

    def read_tags(self, cls: Any, depth: int, count: str, extras: str) -> None:
        """The tagged fields at a struct's end, of which there are some, as keyword arguments."""
        tag, size, stop = (self.fresh(stem) for stem in ("tag", "size", "stop"))
        self.add(depth, f"if {count} > 127:")
        self.add(depth + 1, f"{count}, at = read_tail_of_varint(buf, at, {count})")
        self.add(depth, f"if {count} * 2 > end - at:")
        self.add(depth + 1, f"raise malformed('%d tagged fields are claimed' % {count}, at)")
        self.add(depth, f"{extras} = {{}}", f"for _ in range({count}):")
        for name in (tag, size):
            self.add(depth + 1, f"{name} = buf[at]", "at += 1", f"if {name} > 127:")
            self.add(depth + 2, f"{name}, at = read_tail_of_varint(buf, at, {name})")
        self.add(depth + 1, f"{stop} = at + {size}", f"if {stop} > end:")
        self.add(depth + 2, f"raise malformed('tagged field %d claims %d bytes' % ({tag}, {size}), at)")
        branch = "if"
        for field in cls.FIELDS:
            if not (is_in(self.version, field.tagged) and is_in(self.version, field.versions)):
                continue
            value = self.fresh("v")
            self.add(depth + 1, f"{branch} {tag} == {field.tag}:")
            self.read_field(cls, field, depth + 2, value)
            self.read_run(depth + 2)
            self.add(depth + 2, f"if at != {stop}:")
            self.add(depth + 3, f"raise malformed('tagged field {field.name} is not %d bytes long' % {size}, at)")
            self.add(depth + 2, f"{extras}[{field.name!r}] = {value}")
            branch = "elif"
        inner = depth + 1
        if branch == "elif":
            self.add(depth + 1, "else:")
            inner += 1
        self.add(inner, f"{extras}.setdefault('unknown_tagged_fields', []).append(({tag}, bytes(buf[at:{stop}])))")
        self.add(inner, f"at = {stop}")
        self.add(depth, f"if 'unknown_tagged_fields' in {extras}:")
        self.add(depth + 1, f"{extras}['unknown_tagged_fields'] = tuple({extras}['unknown_tagged_fields'])")


def build(cls: Any, version: int) -> tuple[str, dict[str, Any]]:
    """(text, constants) of `run(buf, at, end) -> (message, position)`."""
    source = DecoderSource(version)
    source.add(0, "def run(buf, at, end):")
    source.read_struct(cls, 1, "message")
    source.add(1, "return message, at")
    return "\n".join(source.lines) + "\n", source.constants
