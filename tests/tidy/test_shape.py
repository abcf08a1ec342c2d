"""Files and functions stay readable, names are nouns, and nothing of a machine or a registry is written down."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib

import pytest
from source_tree import ROOT, Source, sources

LINES_A_FILE = 420
LINES_A_FUNCTION = 80
SHAPELESS = {"utils", "util", "common", "helpers", "helper", "misc", "manager"}
FORBIDDEN_TEXT = re.compile(
    "|".join(
        (
            "/work/" + "main",
            "/work/" + "shared",
            "py" + "pi.org",
            "repo1\\.maven" + "|repo\\.maven",
            "registry\\.npm" + "js",
            "/tmp/" + "brief",
        )
    )
)


def hand_written() -> list[Source]:
    return [source for source in sources() if not source.is_generated]


def test_a_file_is_short_enough_to_read() -> None:
    lines = {source.path: source.text.count("\n") for source in hand_written()}
    long = [f"{path} has {count} lines: split it by noun" for path, count in lines.items() if count > LINES_A_FILE]
    assert not long, "\n".join(long)


def test_a_function_is_short_enough_to_read() -> None:
    long = [
        f"{source.path}:{node.lineno} {node.name} has {(node.end_lineno or 0) - node.lineno + 1} lines"
        for source in hand_written()
        for node in ast.walk(source.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (node.end_lineno or 0) - node.lineno + 1 > LINES_A_FUNCTION
    ]
    assert not long, "\n".join(long)


def test_a_file_is_named_by_a_noun() -> None:
    paths = [source.path for source in hand_written()]
    shapeless = [path for path in paths if SHAPELESS & set(re.split(r"[/._]", path.removesuffix(".py")))]
    assert not shapeless, "\n".join(shapeless)


def committed_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout: there is no list of committed files")
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_file_names_a_path_of_one_machine_or_a_registry() -> None:
    wrong = []
    for name in committed_files():
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        wrong += [f"{name}: {match.group()}" for match in FORBIDDEN_TEXT.finditer(text)]
    assert not wrong, "\n".join(wrong)


def test_every_package_is_installed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    there = {
        path.parent.relative_to(ROOT).as_posix().replace("/", ".")
        for top in ("reference_broker", "harness", "nemesis", "reports")
        for path in (ROOT / top).rglob("__init__.py")
    }

    assert set(listed) == there
