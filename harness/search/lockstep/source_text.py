"""Formats actions as Python source, for reports and for scripts that repeat a sequence. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any, Final

from harness.search.lockstep.actions import Request

Names = Mapping[type, str]
"""Class → alias, for classes whose names are not unique: two schemas have an AlterableConfig."""
OWN_NAMES: Final[Names] = {}
TEXT: Final = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
"""A string literal in source."""
LONGEST: Final = 100
"""String literals longer than this are shortened in reports."""


def text_of(value: Any, names: Names = OWN_NAMES) -> str:
    """The value as a Python expression, without fields that have their default."""
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if hasattr(value, "FIELDS"):
        return f"{names.get(type(value), type(value).__name__)}({', '.join(_arguments(value, names))})"
    if is_dataclass(value) and not isinstance(value, type):
        return f"{type(value).__name__}({', '.join(_dataclass_arguments(value, names))})"
    if isinstance(value, tuple):
        inner = ", ".join(text_of(one, names) for one in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, memoryview):
        return repr(bytes(value))
    return repr(value)


def _arguments(message: Any, names: Names) -> Iterator[str]:
    for field in message.FIELDS:
        value = getattr(message, field.name)
        if value != field.default or type(value) is not type(field.default):
            yield f"{field.name}={text_of(value, names)}"
    if message.unknown_tagged_fields:
        yield f"unknown_tagged_fields={text_of(message.unknown_tagged_fields)}"


def _dataclass_arguments(value: Any, names: Names) -> Iterator[str]:
    is_positional = not any(field.kw_only for field in fields(value))
    for field in fields(value):
        own = getattr(value, field.name)
        if field.default is MISSING or own != field.default:
            yield text_of(own, names) if is_positional else f"{field.name}={text_of(own, names)}"


REPLAY = ("harness.search.lockstep.replay", "replay")
"""(module, function) that a script calls by default: plays on two targets and prints the differences."""


def script_of(
    actions: Sequence[Any], about: Sequence[str], targets: Sequence[str], calls: tuple[str, str] = REPLAY
) -> str:
    """The source of a program that passes the sequence to the function `calls`. `about` becomes its docstring."""
    classes = sorted(
        {cls for action in actions for cls in _classes(action)}, key=lambda cls: (cls.__module__, cls.__name__)
    )
    counts = Counter(cls.__name__ for cls in classes)
    names = {cls: _alias(cls) for cls in classes if counts[cls.__name__] > 1}
    lines = ['"""' + about[0], "", *about[1:], '"""', ""] if len(about) > 1 else [f'"""{about[0]}"""', ""]
    modules: dict[str, list[str]] = {calls[0]: [calls[1]]}
    for cls in classes:
        own = f"{cls.__name__} as {names[cls]}" if cls in names else cls.__name__
        modules.setdefault(cls.__module__, []).append(own)
    lines += [f"from {module} import {', '.join(sorted(modules[module]))}" for module in sorted(modules)]
    lines += ["", "ACTIONS = ("]
    lines += [f"    {text_of(action, names)}," for action in actions]
    lines += [")", "", f"{calls[1]}(ACTIONS, {list(targets)!r})", ""]
    return "\n".join(lines)


def _alias(cls: type) -> str:
    """A unique alias for a class: the module's name, followed by the class's."""
    return "".join(word.capitalize() for word in cls.__module__.rpartition(".")[2].split("_")) + cls.__name__


def _classes(value: Any) -> Iterator[type]:
    """The classes that appear in the source of a value."""
    if isinstance(value, tuple):
        for one in value:
            yield from _classes(one)
    elif isinstance(value, Enum):
        yield type(value)
    elif hasattr(value, "FIELDS"):
        yield type(value)
        for field in value.FIELDS:
            own = getattr(value, field.name)
            if own != field.default:
                yield from _classes(own)
    elif is_dataclass(value) and not isinstance(value, type):
        yield type(value)
        for part in fields(value):
            own = getattr(value, part.name)
            if part.default is MISSING or own != part.default:
                yield from _classes(own)


def lines_of(actions: Sequence[Any]) -> list[str]:
    """One line per action, for reports."""
    return [
        f"{_to(action)}  {TEXT.sub(_shortened, text_of(action.message))} v{action.version}"
        if isinstance(action, Request)
        else text_of(action)
        for action in actions
    ]


def _to(request: Request) -> str:
    return f"node {request.node}" if request.node else f"client {request.client}"


def _shortened(found: re.Match[str]) -> str:
    text = found[0]
    return text if len(text) <= LONGEST else f"{text[:13]}…{text[0]}({len(text) - 2:,} characters)"
