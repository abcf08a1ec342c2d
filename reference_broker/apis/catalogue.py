"""Writes the table of APIs in reference_broker/README.md from the files that serve them: `--check` only compares.

python -m reference_broker.apis.catalogue [--check]
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

from reference_broker.apis.registry import BROKER, handler_modules
from reference_broker.releases import BASELINE
from reference_broker.wire.api_keys import APIS

README: Final = Path(__file__).resolve().parents[1] / "README.md"
START: Final = "<!-- made by reference_broker.apis.catalogue: start -->"
END: Final = "<!-- made by reference_broker.apis.catalogue: end -->"
NOTHING: Final = ("Nothing known.", "nothing known")


def departure(module: ModuleType) -> str:
    """What a file's header says under **Departs from Kafka**, as one line; empty for nothing."""
    header = ast.get_docstring(ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))) or ""
    found = re.search(r"\*\*Departs from Kafka\*\*(.*?)(?=\n\*\*|\Z)", header, re.S)
    text = " ".join(found[1].split()) if found else ""
    return "" if text in NOTHING else text


def table() -> str:
    """The README's part: what is served, how it departs, what is missing."""
    modules = handler_modules()
    served = {int(one.API): one for one in modules}
    rows = ["| API | versions | how it departs from Kafka 4.3.1 |", "|---|---|---|"]
    for key, module in served.items():
        versions = f"{module.VERSIONS[0]}–{module.VERSIONS[-1]}"
        rows.append(f"| {APIS[key].name} ({key}) | {versions} | {departure(module) or '–'} |")
    missing = [f"{APIS[key].name} ({key})" for key in BASELINE.advertised(BROKER) if key not in served]
    return "\n".join(
        [
            START,
            f"{len(served)} of the {len(BASELINE.advertised(BROKER))} APIs that Kafka {BASELINE.name} advertises to "
            "clients are served, each in all its versions:",
            "",
            *rows,
            "",
            f"Missing, and not advertised: {', '.join(missing) or 'none'}.",
            END,
        ]
    )


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
