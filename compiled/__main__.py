"""`make compiled`: builds the hottest modules of the reference with mypyc, from the same sources, into a folder.

python -m compiled [FOLDER]   the folder is build/compiled where none is given; what was there is replaced
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import sysconfig
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Final

from compiled.finder import MANIFEST, sources_of, state_of
from compiled.modules import MODULES, all_obstacles, path_of

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / "build" / "compiled"
TOOLS: Final = ("setuptools", "mypyc.build")


class CannotBuild(Exception):
    """The text says what is missing, and what to do."""


def check_tools() -> None:
    """CannotBuild where mypyc, setuptools, a C compiler or Python's headers are not there."""
    try:
        for name in TOOLS:
            import_module(name)
    except ImportError as error:
        raise CannotBuild(f"{error.name} is not installed: make, or pip install '.[dev]'") from error
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    if shutil.which(compiler) is None:
        raise CannotBuild(f"there is no C compiler ({compiler}): install one, such as gcc, or name it by CC")
    headers = Path(sysconfig.get_path("include"))
    if not (headers / "Python.h").is_file():
        raise CannotBuild(f"Python's headers are not in {headers}: install them (Debian: python3-dev)")


def compile_into(folder: Path, scratch: Path) -> None:
    """The extension modules in a folder. CannotBuild where mypyc or the C compiler refuse."""
    from mypyc.build import mypycify
    from setuptools import Distribution

    obstacles = all_obstacles(ROOT)
    if obstacles:
        raise CannotBuild("\n".join(obstacles))
    options = ["--config-file", "pyproject.toml", "--cache-dir", str(scratch / "mypy")]
    extensions = mypycify(
        [*options, *map(path_of, MODULES)], opt_level="2", debug_level="0", target_dir=str(scratch / "c")
    )
    distribution = Distribution({"ext_modules": extensions})
    command = distribution.get_command_obj("build_ext")
    command.build_lib, command.build_temp = str(folder), str(scratch / "o")
    command.ensure_finalized()
    try:
        command.run()
    except Exception as error:
        raise CannotBuild(f"the C compiler failed: {error}") from error


def build(folder: Path) -> None:
    """Put the compiled modules and their finder into a folder, in the place of what was there."""
    check_tools()
    os.chdir(ROOT)  # mypyc names modules by their paths from here
    with tempfile.TemporaryDirectory(prefix="compiled-") as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        sources = state_of(sources_of(ROOT), ROOT)
        compile_into(made, Path(scratch))
        manifest = {"modules": sorted(MODULES), "sources": sources}
        (made / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        shutil.copy(Path(__file__).with_name("finder.py"), made / "sitecustomize.py")
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(made, folder)


def main(arguments: list[str]) -> int:
    """The exit status."""
    if len(arguments) > 1 or any(one.startswith("-") for one in arguments):
        print(__doc__)
        return 0 if arguments in (["--help"], ["-h"]) else 2
    folder = Path(arguments[0]).resolve() if arguments else FOLDER
    began = time.monotonic()
    try:
        build(folder)
    except CannotBuild as error:
        print(f"compiled: {error}", file=sys.stderr)
        return 1
    print(f"compiled {len(MODULES)} modules in {time.monotonic() - began:.0f} s; to use them: PYTHONPATH={folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
