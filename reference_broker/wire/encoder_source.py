"""Writes the Python text of an encoder. The text is straight-line; see `codec`."""

from __future__ import annotations

import struct
from typing import Any

from reference_broker.wire.decoder_source import FORMATS, is_flexible
from reference_broker.wire.schema import ALWAYS, Field, is_in


class EncoderSource:
    """One encoder's text as it grows. `out` is the bytearray being filled, `buffers` the list of finished ones.

    Neighbouring fields of fixed size are written by one format, together with the length or the count of tagged fields
    that follows them: `_run` holds those that no line writes yet. It is empty wherever a loop begins or ends.
    """

    def __init__(self, version: int) -> None:
        self.version = version
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {}
        self._names = 0
        self._run: list[tuple[str, str]] = []
        """(format, value) of each field."""

    def fresh(self, stem: str) -> str:
        """A local name not used before."""
        self._names += 1
        return f"{stem}{self._names}"

    def default(self, field: Field) -> str:
        """An expression that stands for a field's default."""
        if field.kind != "struct" or field.is_array or field.default is None:
            return repr(field.default)
        name = f"default_{field.of.__name__}"
        self.constants[name] = field.default
        return name

    def add(self, depth: int, *lines: str) -> None:
        """Append lines at an indentation."""
        self.lines += ["    " * depth + line for line in lines]

    def write_struct(self, cls: Any, depth: int, item: str, out: str) -> None:
        """Code that writes the struct bound to `item`."""
        tagged: list[Field] = []
        for field in cls.FIELDS:
            if not is_in(self.version, field.versions):
                self.refuse_unless_default(cls, field, depth, item)
            elif is_in(self.version, field.tagged):
                tagged.append(field)
            elif field.kind in FORMATS and not field.is_array:
                self._run.append((FORMATS[field.kind], f"{item}.{field.name}"))
            else:
                value = self.fresh("v")
                self.add(depth, f"{value} = {item}.{field.name}")
                self.write_value(cls, field, depth, value, out)
        if is_flexible(cls, None, self.version):
            self.write_tags(cls, tagged, depth, item, out)
        else:
            self.write_run(self.take_run(), depth, out)
            self.add(depth, f"if {item}.unknown_tagged_fields:")
            self.add(depth + 1, f"raise unencodable('{cls.__name__} v{self.version} has no room for tagged fields')")

    def refuse_unless_default(self, cls: Any, field: Field, depth: int, item: str) -> None:
        """A field that this version lacks may only hold its default, unless the schema says to ignore it."""
        if field.ignorable or field.versions == ALWAYS:
            return
        self.add(depth, f"if {item}.{field.name} != {self.default(field)}:")
        self.add(depth + 1, f"raise unencodable('{cls.__name__}.{field.name} is not in version {self.version}')")

    def take_run(self) -> list[tuple[str, str]]:
        """The fields that no line writes yet."""
        run, self._run = self._run, []
        return run

    def write_run(self, run: list[tuple[str, str]], depth: int, out: str) -> None:
        """Code that writes neighbouring fields. The format x is a byte of zero, without a value."""
        if [layout for layout, _ in run] == ["x"]:
            self.add(depth, f"{out}.append(0)")
        elif run:
            layout = "".join(layout for layout, _ in run)
            name = f"pack_{layout.replace('?', 'o')}"
            self.constants.setdefault(name, struct.Struct(f">{layout}").pack)
            values = ", ".join(value for layout, value in run if layout != "x")
            self.add(depth, f"{out} += {name}({values})")

    def write_length(self, depth: int, length: str, out: str, *, compact: bool, layout: str) -> None:
        """A length or count, one higher in the compact form, behind the fields that no line writes yet."""
        run = self.take_run()
        if compact:
            self.add(depth, f"if {length} < 127:")
            if run:
                self.write_run([*run, ("B", f"{length} + 1")], depth + 1, out)
            else:
                self.add(depth + 1, f"{out}.append({length} + 1)")
            self.add(depth, "else:")
            self.write_run(run, depth + 1, out)
            self.add(depth + 1, f"{out} += unsigned_varint({length} + 1)")
        else:
            self.write_run([*run, (layout, length)], depth, out)

    def write_value(self, cls: Any, field: Field, depth: int, value: str, out: str) -> None:
        """A field of variable size, null included."""
        compact = is_flexible(cls, field, self.version)
        if field.kind == "struct" and not field.is_array:
            if is_in(self.version, field.nullable):
                self.write_run(self.take_run(), depth, out)
                self.add(depth, f"if {value} is None:")
                self.add(depth + 1, f"{out}.append({0 if is_in(self.version, field.tagged) else 255})")
                self.add(depth, "else:")
                self.add(depth + 1, f"{out}.append(1)")
                depth += 1
            self.write_struct(field.of, depth, value, out)
            return
        layout = "h" if field.kind == "string" and not field.is_array else "i"
        self.add(depth, f"if {value} is None:")
        if is_in(self.version, field.nullable):
            self.write_run([*self._run, ("x", "") if compact else (layout, "-1")], depth + 1, out)
        else:
            self.add(depth + 1, f"raise unencodable('{cls.__name__}.{field.name} is not nullable')")
        self.add(depth, "else:")
        self.write_content(cls, field, depth + 1, value, out, compact=compact, layout=layout)

    def write_content(
        self, cls: Any, field: Field, depth: int, value: str, out: str, *, compact: bool, layout: str
    ) -> None:
        """What stands behind a length."""
        length = self.fresh("n")
        if field.is_array:
            self.add(depth, f"{length} = len({value})")
            self.write_length(depth, length, out, compact=compact, layout=layout)
            if field.kind in FORMATS and field.kind != "uuid":
                self.add(depth, f"{out} += pack('>%d{FORMATS[field.kind]}' % {length}, *{value})")
                return
            item = self.fresh("item")
            self.add(depth, f"for {item} in {value}:")
            if field.kind == "uuid":
                self.write_run([("16s", item)], depth + 1, out)
            elif field.kind == "struct":
                self.write_struct(field.of, depth + 1, item, out)
            else:
                self.write_value(cls, field._replace(is_array=False, nullable=(0, -1)), depth + 1, item, out)
        elif field.kind == "string":
            raw = self.fresh("raw")
            self.add(depth, f"{raw} = {value}.encode()", f"{length} = len({raw})", f"if {length} > 32767:")
            self.add(depth + 1, f"raise unencodable('{field.name} is a string of %d bytes' % {length})")
            self.write_length(depth, length, out, compact=compact, layout=layout)
            self.add(depth, f"{out} += {raw}")
        elif field.kind == "bytes":
            self.add(depth, f"{length} = len({value})")
            self.write_length(depth, length, out, compact=compact, layout=layout)
            self.add(depth, f"{out} += {value}")
        else:
            self.add(depth, f"{length} = size_of_records({value})")
            self.write_length(depth, length, out, compact=compact, layout=layout)
            self.add(depth, f"if {length}:")
            self.add(depth + 1, f"buffers.append({out})", f"if type({value}) is list or type({value}) is tuple:")
            self.add(depth + 2, f"buffers.extend({value})")
            self.add(depth + 1, "else:")
            self.add(depth + 2, f"buffers.append({value})")
            self.add(depth + 1, f"{out} = bytearray()")

    def write_tags(self, cls: Any, tagged: list[Field], depth: int, item: str, out: str) -> None:
        """The tagged fields at a struct's end, in the order of their tags; defaults are left out."""
        values = [self.fresh("v") for _ in tagged]
        for field, value in zip(tagged, values, strict=True):
            self.add(depth, f"{value} = {item}.{field.name}")
        # Nearly always there are none.
        defaults = [f"{value} == {self.default(field)}" for field, value in zip(tagged, values, strict=True)]
        run = self.take_run()
        self.add(depth, f"if {' and '.join([f'not {item}.unknown_tagged_fields', *defaults])}:")
        self.write_run([*run, ("x", "")], depth + 1, out)
        self.add(depth, "else:")
        depth += 1
        self.write_run(run, depth, out)
        tags = self.fresh("tags")
        self.add(depth, f"{tags} = list({item}.unknown_tagged_fields)")
        for field, value in zip(tagged, values, strict=True):
            inner = self.fresh("inner")
            self.add(depth, f"if {value} != {self.default(field)}:")
            self.add(depth + 1, f"{inner} = bytearray()")
            if field.kind in FORMATS and not field.is_array:
                self.write_run([(FORMATS[field.kind], value)], depth + 1, inner)
            else:
                self.write_value(cls, field, depth + 1, value, inner)
            self.add(depth + 1, f"{tags}.append(({field.tag}, {inner}))")
        self.add(depth, f"write_tagged({out}, {tags})")


def build(cls: Any, version: int) -> tuple[str, dict[str, Any]]:
    """(text, constants) of `run(message, buffers, out)`, which goes on in the bytearray `out`."""
    source = EncoderSource(version)
    source.add(0, "def run(message, buffers, out):")
    source.write_struct(cls, 1, "message", "out")
    source.add(1, "if out:")
    source.add(2, "buffers.append(out)")
    return "\n".join(source.lines) + "\n", source.constants
