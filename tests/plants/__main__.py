"""Runs the reference broker with one bug planted: `python -m tests.plants NAME start FILE …`, or `--list`.

A plant is a file of this folder, of `brokers`, `quorum` or `power` with a header (**Bug**, **Rejected by**), or of
`differences` (**Differs**, **Found by**). Its function `plant` changes the broker's classes in this process only, and
the broker's own files know nothing of it.
"""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from pathlib import Path

from reference_broker.__main__ import main
from reference_broker.command_line import WRONG_INPUT
from reference_broker.command_line import run as run_command

FOLDER = Path(__file__).resolve().parent
USAGE = """usage: python -m tests.plants NAME start|storage|dev …   the broker, with the bug NAME in it
       python -m tests.plants --list                           what there is
example: python -m tests.plants wrong_offset_in_answer dev --port 0"""


def places() -> dict[str, Path]:
    """The plants by name, sorted."""
    folders = ("", "differences", "brokers", "quorum", "power")
    found = [path for folder in folders for path in (FOLDER / folder).glob("*.py")]
    return {path.stem: path for path in sorted(found, key=lambda path: path.stem) if _is_plant(path)}


def _is_plant(path: Path) -> bool:
    return not path.name.startswith(("test_", "_"))


def title(name: str) -> str:
    """The first line of a plant's header."""
    text = places()[name].read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]


def plant(name: str) -> None:
    """Puts a bug into this process. KeyError where there is none of that name."""
    # The only use of a name to find a module: each plant is found by being there.
    import_module(".".join(places()[name].relative_to(FOLDER.parents[1]).with_suffix("").parts)).plant()


def run(arguments: list[str]) -> int:
    """The exit status: the broker's, or 2 for wrong input."""
    if arguments == ["--list"]:
        for name in places():
            print(f"{name:<38}  {title(name)}")
        return 0
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE)
        return 0 if arguments else WRONG_INPUT
    name, *rest = arguments
    if name not in places():
        print(f"tests.plants: unknown plant {name!r} (known: {', '.join(places())})", file=sys.stderr)
        return WRONG_INPUT
    plant(name)
    return main(rest)


if __name__ == "__main__":
    sys.exit(run_command("tests.plants", lambda: run(sys.argv[1:])))
