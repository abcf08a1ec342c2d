"""Writes the table of APIs in reference_broker/README.md from the files that serve them: `--check` only compares.

python -m reference_broker.apis.catalogue [--check]
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Final

from reference_broker.apis.registry import BROKER, CONTROLLER, handler_modules
from reference_broker.releases import BASELINE
from reference_broker.wire.api_keys import APIS
from reference_broker.wire.errors import ErrorCode

README: Final = Path(__file__).resolve().parents[1] / "README.md"
START: Final = "<!-- made by reference_broker.apis.catalogue: start -->"
END: Final = "<!-- made by reference_broker.apis.catalogue: end -->"
NOTHING: Final = ("Nothing known.", "nothing known")
CODE: Final = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")


def departure(module: ModuleType) -> str:
    """What a file's header says under **Departs from Kafka**, as one line; empty for nothing."""
    text = _part(module, "Departs from Kafka")
    return "" if text in NOTHING else text


def refusals(module: ModuleType) -> list[tuple[int, str]]:
    """(error code, when) of each refusal that a file's header lists, in its order; `when` may be empty."""
    found: dict[int, list[str]] = {}
    scope = ""
    for clause in re.split(r"[;.]\s+|[;.]$", _part(module, "Refuses")):
        words = clause.strip()
        if (begins := re.match(r"(Per \w+|For all)(?:, as [^:]*)?:\s*", words)) is not None:
            scope, words = begins[1].lower(), words[begins.end() :]
        for code, when in _refused_in(words):
            found.setdefault(code, []).append(f"{scope}: {when}" if scope and when else scope or when)
    return [(code, "; ".join(dict.fromkeys(filter(None, texts)))) for code, texts in found.items()]


def _refused_in(clause: str) -> Iterator[tuple[int, str]]:
    """The codes of a clause "A, B: when, C (D below version 3): when"; one inside other words has all of them."""
    known = [found for found in CODE.finditer(clause) if found[0] in ErrorCode.__members__]
    heads = [found for found in known if not clause[: found.start()] or clause[: found.start()].endswith(", ")]
    for found in known:
        code = int(ErrorCode[found[0]])
        if found not in heads:
            yield code, clause
            continue
        end = next((other.start() for other in heads if other.start() > found.start()), len(clause))
        told = re.match(r"(?: for all| \(.*?\))?: (.*)", clause[found.end() : end])
        yield code, told[1].removesuffix(", ") if told else ""


def _part(module: ModuleType, title: str) -> str:
    """One part of a file's header as one line."""
    source = Path(__file__).with_name(module.__name__.rpartition(".")[2] + ".py")  # a compiled module's file is another
    header = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    found = re.search(rf"\*\*{title}\*\*(.*?)(?=\n\*\*|\Z)", header, re.S)
    return " ".join(found[1].split()) if found else ""


def table() -> str:
    """The README's part: what is served, how it departs, what is missing."""
    by_key = {int(one.API): one for one in handler_modules()}
    told, between_nodes = BASELINE.advertised(BROKER), BASELINE.advertised(CONTROLLER)
    served = [key for key in by_key if key in told]
    missing = [f"{APIS[key].name} ({key})" for key in told if key not in served]
    return "\n".join(
        [
            START,
            f"{len(served)} of the {len(told)} APIs that Kafka {BASELINE.name} advertises to clients are served, each "
            "in all its versions:",
            "",
            *_rows(served, by_key, told),
            "",
            f"Missing, and not advertised: {', '.join(missing) or 'none'}.",
            "",
            "What only nodes say to each other, on the controllers' listeners:",
            "",
            *_rows([key for key in by_key if key not in told], by_key, between_nodes),
            END,
        ]
    )


def _rows(keys: Sequence[int], modules: Mapping[int, ModuleType], advertised: Mapping[int, range]) -> Iterator[str]:
    yield "| API | versions | how it departs from Kafka 4.3.1 |"
    yield "|---|---|---|"
    for key in keys:
        versions = f"{advertised[key][0]}–{advertised[key][-1]}"
        yield f"| {APIS[key].name} ({key}) | {versions} | {departure(modules[key]) or '–'} |"


def replaced(text: str) -> str:
    """The README with its table made anew. ValueError where the marks are not there."""
    head, start, rest = text.partition(START)
    _, end, tail = rest.partition(END)
    if not start or not end:
        raise ValueError(f"{README.name} lacks the marks {START} … {END}")
    return head + table() + tail


def main(arguments: list[str]) -> int:
    """0; with --check 1 where the README is stale."""
    text = README.read_text(encoding="utf-8")
    fresh = replaced(text)
    if "--check" in arguments:
        if fresh != text:
            print("reference_broker/README.md is stale: run python -m reference_broker.apis.catalogue")
        return int(fresh != text)
    README.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
