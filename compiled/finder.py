"""Has Python import the compiled modules in the place of their sources; `make compiled` copies it to
`build/compiled/sitecustomize.py`.

Python imports `sitecustomize` at its start, from PYTHONPATH: so PYTHONPATH=build/compiled chooses the compiled modules,
for the processes that are started then, too. All other modules are those of the sources. It imports nothing of ours.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import ModuleType

PACKAGE = "reference_broker"
MANIFEST = "manifest.json"


def state_of(sources: Iterable[Path], root: Path) -> dict[str, list[int]]:
    """What tells whether a source has changed: by its path from the root, its size and time of modification (ns)."""
    stats = {path.relative_to(root).as_posix(): path.stat() for path in sources}
    return {name: [stat.st_size, stat.st_mtime_ns] for name, stat in sorted(stats.items())}


def sources_of(root: Path) -> list[Path]:
    """All that the compiled modules were made from: constants of other modules are part of them."""
    return sorted((root / PACKAGE).rglob("*.py"))


class CompiledModules(MetaPathFinder):
    """The modules below a folder, as long as their sources are what they were made from."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        self._modules: frozenset[str] = frozenset(manifest["modules"])
        self._sources: dict[str, list[int]] = manifest["sources"]
        self._is_checked = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where a compiled module is; None for all others. SystemExit where the sources have changed since."""
        if fullname not in self._modules:
            return None
        if not self._is_checked:
            self._check()
        file = self._folder / (fullname.replace(".", "/") + EXTENSION_SUFFIXES[0])
        return spec_from_file_location(fullname, file, loader=ExtensionFileLoader(fullname, str(file)))

    def _check(self) -> None:
        """The packages that are imported must be those that the modules were made from."""
        root = Path(next(iter(sys.modules[PACKAGE].__path__))).parent
        if state_of(sources_of(root), root) != self._sources:
            # Not an ImportError: this is said to whoever chose the compiled modules, by PYTHONPATH.
            raise SystemExit(f"the modules in {self._folder} were compiled from other sources: make compiled")
        self._is_checked = True


def use(folder: Path) -> None:
    """Import compiled modules from now on, also in the processes that are started, wherever they run."""
    paths = [os.path.abspath(one) for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    sys.meta_path.insert(0, CompiledModules(folder))


if __name__ == "sitecustomize":
    use(Path(__file__).resolve().parent)
