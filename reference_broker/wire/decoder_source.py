"""Writes the Python text of a decoder. The text is straight-line; see `codec`."""

from __future__ import annotations

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
    """One decoder's text as it grows, with the constants (classes, struct formats) that it names."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {}
        self._names = 0

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

    def add(self, depth: int, *lines: str) -> None:
        """Append lines at an indentation."""
        self.lines += ["    " * depth + line for line in lines]

    def read_struct(self, cls: Any, depth: int, into: str) -> None:
        """Code that reads a struct's fields and binds the struct to `into`."""
        values: dict[str, str] = {}
        run: list[Field] = []
        for field in cls.FIELDS:
            if not is_in(self.version, field.versions) or is_in(self.version, field.tagged):
                continue
            values[field.name] = self.fresh("v")
            if field.kind in FORMATS and not field.is_array:
                run.append(field)
                continue
            self.read_run(run, values, depth)
            run = []
            self.read_field(cls, field, depth, values[field.name])
        self.read_run(run, values, depth)
        arguments = [f"{name}={value}" for name, value in values.items()]
        if is_flexible(cls, None, self.version):
            extras = self.fresh("extras")
            self.read_tags(cls, depth, extras)
            arguments.append(f"**{extras}")
            plain = ", ".join(arguments[:-1])
            name = self.constant(cls.__name__, cls)
            self.add(depth, f"{into} = {name}({', '.join(arguments)}) if {extras} else {name}({plain})")
        else:
            self.add(depth, f"{into} = {self.constant(cls.__name__, cls)}({', '.join(arguments)})")

    def read_run(self, run: list[Field], values: dict[str, str], depth: int) -> None:
        """Neighbouring fields of fixed size, by one format."""
        if not run:
            return
        layout = "".join(FORMATS[field.kind] for field in run)
        targets = ", ".join(values[field.name] for field in run)
        self.add(depth, f"{targets}, = unpack_from({'>' + layout!r}, buf, at)")
        self.add(depth, f"at += {sum(SIZES[field.kind] for field in run)}")

    def read_length(self, depth: int, into: str, *, compact: bool, layout: str) -> None:
        """A length or count; -1 stands for null in either form."""
        if compact:
            self.add(depth, f"{into} = buf[at]", "at += 1", f"if {into} > 127:")
            self.add(depth + 1, f"{into}, at = read_tail_of_varint(buf, at, {into})")
            self.add(depth, f"{into} -= 1")
        else:
            self.add(depth, f"({into},) = unpack_from({'>' + layout!r}, buf, at)")
            self.add(depth, f"at += {2 if layout == 'h' else 4}")

    def refuse_null(self, field: Field, depth: int, length: str, into: str) -> int:
        """Code for a length below zero; returns the depth for the rest."""
        if is_in(self.version, field.nullable):
            self.add(depth, f"if {length} == -1:")
            self.add(depth + 1, f"{into} = None")
            self.add(depth, f"elif {length} < 0:")
        else:
            self.add(depth, f"if {length} < 0:")
        self.add(depth + 1, f"raise malformed('{field.name} has the invalid length %d' % {length}, at)")
        self.add(depth, "else:")
        return depth + 1

    def read_field(self, cls: Any, field: Field, depth: int, into: str) -> None:
        """Code that reads one field of variable size."""
        compact = is_flexible(cls, field, self.version)
        if field.is_array:
            self.read_array(cls, field, depth, into, compact=compact)
        elif field.kind == "struct":
            self.read_nested(field, depth, into)
        else:
            length = self.fresh("n")
            self.read_length(depth, length, compact=compact, layout="h" if field.kind == "string" else "i")
            depth = self.refuse_null(field, depth, length, into)
            self.add(depth, f"if {length} > end - at:")
            self.add(depth + 1, f"raise malformed('{field.name} claims %d bytes' % {length}, at)")
            if field.kind == "string":
                if compact:
                    self.add(depth, f"if {length} > 32767:")
                    self.add(depth + 1, f"raise malformed('{field.name} is a string of %d bytes' % {length}, at)")
                self.add(depth, f"{into} = str(buf[at:at + {length}], 'utf-8', 'replace')")
            elif field.kind == "bytes":
                self.add(depth, f"{into} = bytes(buf[at:at + {length}])")
            else:
                self.add(depth, f"{into} = buf[at:at + {length}]")
            self.add(depth, f"at += {length}")

    def read_nested(self, field: Field, depth: int, into: str) -> None:
        """A struct in its place; a nullable one has a byte before it: below zero for null, in a tagged field zero."""
        if is_in(self.version, field.nullable):
            least = 1 if is_in(self.version, field.tagged) else 0
            self.add(depth, f"({into},) = unpack_from('>b', buf, at)", "at += 1", f"if {into} < {least}:")
            self.add(depth + 1, f"{into} = None")
            self.add(depth, "else:")
            depth += 1
        self.read_struct(field.of, depth, into)

    def read_array(self, cls: Any, field: Field, depth: int, into: str, *, compact: bool) -> None:
        """An array; its count is checked against what is left before anything is made."""
        count = self.fresh("n")
        self.read_length(depth, count, compact=compact, layout="i")
        depth = self.refuse_null(field, depth, count, into)
        self.add(depth, f"if {count} * {minimum_size(cls, field, self.version)} > end - at:")
        self.add(depth + 1, f"raise malformed('{field.name} claims %d elements' % {count}, at)")
        if field.kind in FORMATS and field.kind != "uuid":
            layout = FORMATS[field.kind]
            self.add(depth, f"{into} = unpack_from('>%d{layout}' % {count}, buf, at)")
            self.add(depth, f"at += {count} * {SIZES[field.kind]}")
            return
        items, item = self.fresh("items"), self.fresh("item")
        self.add(depth, f"{items} = []", f"for _ in range({count}):")
        element = field._replace(is_array=False, nullable=NEVER)
        if field.kind == "uuid":
            self.add(depth + 1, f"({item},) = unpack_from('>16s', buf, at)", "at += 16")
        else:
            self.read_field(cls, element, depth + 1, item)
        self.add(depth + 1, f"{items}.append({item})")
        self.add(depth, f"{into} = tuple({items})")

    def read_tags(self, cls: Any, depth: int, extras: str) -> None:
        """The tagged fields at a struct's end, as keyword arguments."""
        count, tag, size, stop = (self.fresh(stem) for stem in ("n", "tag", "size", "stop"))
        self.add(depth, f"{extras} = None", f"{count} = buf[at]", "at += 1", f"if {count}:")
        depth += 1
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
            if field.kind in FORMATS and not field.is_array:
                self.read_run([field], {field.name: value}, depth + 2)
            else:
                self.read_field(cls, field, depth + 2, value)
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
