"""The source text of a setting in the generated tables, from a row that ReleaseTable.java prints."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

RANGE: Final = re.compile(r"\[(-?[\d.]+),\.\.\.(?:,(-?[\d.]+))?\]( or -1)?")
WORDS: Final = re.compile(r"(\(case insensitive\) )?\[([A-Za-z][^\[\]]*)\]")
THROTTLED: Final = "[partitionId]:[brokerId],[partitionId]:[brokerId],..."
BY_DURATION: Final = "by_duration:PnDTnHnMn.nS"
MODES: Final = {"per-broker": "PER_BROKER", "dynamic": "CLUSTER_WIDE"}
UNCHECKED: Final = ("", "non-empty list", "non-null string")
"""What Kafka says of values that it does not check when it reads the setting."""


def validator(kind: str, valid: str) -> str:
    """The constructor of a rule. ValueError for one that is new: give it a class in settings/validators.py."""
    if kind == "CLASS" and not valid:
        return "LOADABLE_CLASS"
    if valid in UNCHECKED:
        return ""
    if valid == THROTTLED:
        return "THROTTLED_REPLICAS"
    if valid == "non-empty string":
        return "NON_EMPTY"
    if (found := RANGE.fullmatch(valid)) is not None:
        low, high, or_minus_one = found.groups()
        return f"Range({low}{f', {high}' if high else ''}{', or_minus_one=True' if or_minus_one else ''})"
    if (found := WORDS.fullmatch(valid)) is not None:
        words = tuple(found[2].split(", "))
        if BY_DURATION in words:
            # 4.0 names `earliest` last of all others, and has a dot too many.
            return 'OffsetReset("<PnDTnHnMn.nS.>")' if words[0] == "earliest" else "OffsetReset()"
        return f"{'OneOfAnyCase' if found[1] else 'OneOf'}({literal(words)})"
    raise ValueError(f"no rule of settings/validators.py says {valid!r}")


def literal(words: Iterable[str]) -> str:
    """A tuple of texts."""
    texts = [text_literal(word) for word in words]
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"


def text_literal(text: str) -> str:
    """A text in double quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def setting(row: str) -> str:
    """`ConfigKey(...)` of a row name|type|default|valid|update mode or synonyms|internal."""
    name, kind, default, valid, extra, internal, *_ = [*row.split("|"), "", "", "", "", ""]
    parts = [f"name={text_literal(name)}", f"type={kind}"]
    parts.append("default=None" if default in ("~", "!") else f"default={text_literal(default)}")
    if rule := validator(kind, valid):
        parts.append(f"valid={rule}")
    if default == "!":
        parts.append("is_required=True")
    if extra in MODES:
        parts.append(f"mode={MODES[extra]}")
    elif extra:
        pairs = [one.split("*") for one in extra.split(",")]
        parts.append("synonyms=(" + "".join(f"Synonym({text_literal(of)}, {factor}), " for of, factor in pairs) + ")")
    if internal:
        parts.append("is_internal=True")
    return f"ConfigKey({', '.join(parts)})".replace(", ))", ",))").replace("), )", "),)")
