"""What there is: checks with their headers, claims, faults, targets, plants, known bugs. `python -m harness list WHAT`.

Everything is read from the files as text, so that a list needs no cluster, no client library and no import of a check.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.targets.planted import plant_files
from harness.targets.target import TARGETS
from reference_broker.command_line import Parser, as_typed

ROOT = Path(__file__).resolve().parents[1]
CLAIMS_FILE = ROOT / "checks" / "claims.toml"
_WIDTH = 118
_PART = re.compile(r"\*\*(?P<name>[A-Z][a-z ]+)\*\*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The parts of a check's header, each as one line of text."""

    title: str = ""
    claim: str = ""
    why: str = ""
    kafka_says: str = ""
    cannot_see: str = ""
    rejects: str = ""

    @classmethod
    def of(cls, docstring: str | None) -> Header:
        """The header in a docstring; parts that are missing are empty."""
        text = docstring or ""
        found = list(_PART.finditer(text))
        ends = [*(match.start() for match in found[1:]), len(text)][: len(found)]  # none where there are no parts
        parts = {match["name"]: one_line(text[match.end() : end]) for match, end in zip(found, ends, strict=True)}
        return cls(
            title=one_line(text.strip().partition("\n")[0]),
            claim=parts.get("Claim", ""),
            why=parts.get("Why it matters", ""),
            kafka_says=parts.get("Kafka says", ""),
            cannot_see=parts.get("Cannot see", ""),
            rejects=parts.get("Rejects", ""),
        )


def one_line(text: str) -> str:
    """A text with its white space, line ends included, made single blanks."""
    return " ".join(text.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFile:
    """A file of checks: "durability/acknowledged_records_survive"."""

    id: str
    path: Path
    header: Header
    claims: tuple[str, ...]
    needs: tuple[str, ...]
    functions: tuple[str, ...]

    @property
    def needs_text(self) -> str:
        """ "(needs java, root)", or "" where it needs nothing."""
        return f"(needs {', '.join(self.needs)})" if self.needs else ""


def check_id(path: str) -> str:
    """The id of a file of checks: its path below checks/, without test_ and .py."""
    parts = Path(path).with_suffix("").parts
    if "checks" in parts:
        parts = parts[parts.index("checks") + 1 :]
    return "/".join((*parts[:-1], parts[-1].removeprefix("test_")))


def check_files(root: Path = ROOT) -> list[CheckFile]:
    """Every file of checks, by its id."""
    return [_check_file(path, root) for path in sorted((root / "checks").rglob("test_*.py"))]


def _check_file(path: Path, root: Path) -> CheckFile:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    functions = tuple(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )
    return CheckFile(
        id=check_id(path.relative_to(root).as_posix()),
        path=path.relative_to(root),
        header=Header.of(ast.get_docstring(tree)),
        claims=_marked(tree, "claim"),
        needs=_marked(tree, "needs"),
        functions=functions,
    )


def _marked(tree: ast.AST, marker: str) -> tuple[str, ...]:
    """The strings given to pytest.mark.MARKER anywhere in a file, each once."""
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == marker:
            found |= {str(word.value): None for word in node.args if isinstance(word, ast.Constant)}
    return tuple(found)


def _checks() -> Iterator[str]:
    files = check_files()
    width = max((len(file.id) for file in files), default=0)
    for file in files:
        needs = f"  {file.needs_text}" if file.needs else ""
        yield f"{file.id:<{width}}  {' '.join(file.claims) or '-':<12}  {file.header.title}{needs}"


def claims() -> Mapping[str, str]:
    """Id of a claim → its sentence; none where there is no folder of checks, as in other projects."""
    return tomllib.loads(CLAIMS_FILE.read_text(encoding="utf-8")) if CLAIMS_FILE.is_file() else {}


def _claims() -> Iterator[str]:
    """Each claim with the files of checks that judge it, and what these need."""
    files = check_files()
    for name, sentence in claims().items():
        yield f"{name:<5}{sentence}"
        judges = [f"{file.path} {file.needs_text}".rstrip() for file in files if name in file.claims]
        judged_by = ", ".join(judges) or "no check yet"
        yield from textwrap.wrap(judged_by, _WIDTH, initial_indent=" " * 5, subsequent_indent=" " * 5)


def _faults() -> Iterator[str]:
    from nemesis.fault_names import FAULTS

    width = max(len(fault.name + fault.words) for fault in FAULTS)
    for fault in FAULTS:
        text = ast.get_docstring(ast.parse((ROOT / "nemesis" / f"{fault.module}.py").read_text(encoding="utf-8"))) or ""
        needs = one_line(text.partition("**Needs**")[2].partition("\n\n")[0])
        yield f"{fault.name + fault.words:<{width}}  {text.partition(chr(10))[0]:<56}  needs {needs}"


def _targets() -> Iterator[str]:
    for form, what, needs in TARGETS:
        yield f"{form:<18}  {what:<72}  needs {needs}"


def _plants() -> Iterator[str]:
    files = plant_files()
    width = max(map(len, files), default=0)
    for name, path in files.items():
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        yield f"{name:<{width}}  {text.partition(chr(10))[0]}"


def _bugs() -> Iterator[str]:
    from harness.known_bugs import KNOWN_BUGS_FILE, read_known_bugs

    for bug in read_known_bugs(ROOT / "checks" / KNOWN_BUGS_FILE).bugs:
        yield f"{bug.id}  of Kafka {', '.join(bug.releases)}  {bug.check}  {bug.sentence}"


LISTS: dict[str, Callable[[], Iterator[str]]] = {
    "checks": _checks,
    "claims": _claims,
    "faults": _faults,
    "targets": _targets,
    "plants": _plants,
    "bugs": _bugs,
}


def main(arguments: list[str], say: Callable[[str], None] = print) -> int:
    """Prints a list; 0, or 2 for wrong input."""
    parser = Parser(
        prog=as_typed("harness list"),
        description="Lists checks, claims, faults, targets, plants or known bugs, with what each needs.",
        epilog=f"example: {as_typed('harness list checks')}",
    )
    parser.add_argument("what", metavar="|".join(LISTS))
    try:
        chosen = parser.parse_args(arguments).what
    except SystemExit as leaving:  # --help, or nothing given: the parser has said what is wrong
        return 2 if leaving.code else 0
    if chosen not in LISTS:
        print(f"harness: list: unknown list {chosen!r} (known: {', '.join(LISTS)})", file=sys.stderr)
        return 2
    lines = list(LISTS[chosen]())
    for line in lines or [f"no {chosen} yet"]:
        say(line.rstrip())
    return 0
