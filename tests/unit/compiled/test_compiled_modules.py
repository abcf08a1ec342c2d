"""Which modules may be compiled, and how it is told where they cannot be, or were made from other sources."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from compiled.finder import MANIFEST, CompiledModules
from compiled.modules import MODULES, all_obstacles, heirs, obstacles

ROOT = Path(__file__).resolve().parents[3]
IMPORT = "import reference_broker.wire.records"


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def put_finder(folder: Path, modules: list[str]) -> Path:
    """A folder as `make compiled` leaves one, made from sources that are not there."""
    shutil.copy(ROOT / "compiled" / "finder.py", folder / "sitecustomize.py")
    manifest = {"modules": modules, "sources": {"reference_broker/gone.py": [1, 1]}}
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def test_no_module_that_is_compiled_has_an_obstacle() -> None:
    assert all_obstacles(ROOT) == []


@pytest.mark.parametrize(
    "text",
    [
        "class A(Struct, frozen=True): ...",
        "class A(Frozen, frozen=True, kw_only=True): ...",
        "class A(Frozen, frozen=True):\n    data: memoryview",
        "def f():\n    try: ...\n    except A as error: ...\n    except B as error: ...",
        "@dataclass(frozen=True, slots=True)\nclass A: ...",
    ],
)
def test_what_mypyc_passes_over_is_an_obstacle(text: str) -> None:
    assert len(obstacles(text, "a.py")) == 1


@pytest.mark.parametrize("text", ["class A(Frozen, frozen=True): ...", "@dataclass(frozen=True)\nclass A: ..."])
def test_what_mypyc_takes_over_is_none(text: str) -> None:
    assert obstacles(text, "a.py") == []


def test_a_class_of_another_module_inherits_from_none_that_is_compiled() -> None:
    text = "from reference_broker.waiting import Later\nclass A(Later): ..."

    assert len(heirs(text, "a.py")) == 1


def test_without_a_c_compiler_one_line_says_so(tmp_path: Path) -> None:
    done = run("-m", "compiled", str(tmp_path / "made"), CC="no-such-compiler")

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "there is no C compiler (no-such-compiler)" in done.stderr


def test_modules_made_from_other_sources_are_refused_in_one_line(tmp_path: Path) -> None:
    folder = put_finder(tmp_path, ["reference_broker.wire.records"])

    done = run("-c", IMPORT, PYTHONPATH=str(folder))

    assert done.returncode == 1
    assert done.stderr == f"the modules in {folder} were compiled from other sources: make compiled\n"


def test_a_module_that_is_not_compiled_is_that_of_the_sources(tmp_path: Path) -> None:
    folder = put_finder(tmp_path, [])

    done = run("-c", f"{IMPORT} as it; print(it.__file__)", PYTHONPATH=str(folder))

    assert done.stdout.strip() == str(ROOT / "reference_broker" / "wire" / "records.py")


def test_processes_that_are_started_elsewhere_find_the_folder_too(tmp_path: Path) -> None:
    put_finder(tmp_path, [])

    relative = os.path.relpath(tmp_path, ROOT)
    done = run("-c", "import os; print(os.environ['PYTHONPATH'])", PYTHONPATH=relative)

    assert done.stdout.strip() == str(tmp_path)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_compiled_where_that_was_chosen_and_only_there(module: str) -> None:
    is_chosen = any(type(one).__name__ == CompiledModules.__name__ for one in sys.meta_path)

    is_compiled = str(import_module(module).__file__).endswith(EXTENSION_SUFFIXES[0])

    assert is_compiled == is_chosen
