"""Progress under `-n N`: each worker keeps its line in a file of the run, and the controller shows all of them.

A line now and then, on a terminal too: the last line there belongs to pytest-xdist.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.pytest_plugin.progress_line import progress_text
from harness.runs.progress import Progress

_SUFFIX = ".progress"
_LOOK_EVERY_S = 1.0


class WorkerLine:
    """What a worker is doing, in its file. Used in a worker instead of ProgressLine."""

    def __init__(self, run: Path, worker: str) -> None:
        self._path = run / f"{worker}{_SUFFIX}"

    def show(self, title: str, progress: Progress) -> None:
        """Where a run stands."""
        self.say(progress_text(title, progress))

    def say(self, text: str) -> None:
        """A line of progress; left out where it cannot be written."""
        fresh = self._path.with_suffix(".new")
        with contextlib.suppress(OSError):
            fresh.write_text(text, encoding="utf-8")
            os.replace(fresh, self._path)

    def begin(self) -> None:
        """A check starts."""

    def clear(self) -> bool:
        """The check has ended. False: there is no line on a terminal to give back."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
        return False

    def close(self) -> None:
        """The run has ended."""
        self.clear()


def lines_of_workers(run: Path) -> str:
    """What all workers are doing; "" where none says."""
    found = []
    for path in sorted(run.glob(f"*{_SUFFIX}")):
        with contextlib.suppress(OSError):
            found.append(f"{path.stem}: {path.read_text(encoding='utf-8', errors='replace')}")
    return " | ".join(found)


@contextmanager
def shown(run: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Meanwhile what the workers are doing is said, as often as `say` lets it through. No file of theirs is left."""
    ends = threading.Event()

    def watch() -> None:
        while not ends.wait(_LOOK_EVERY_S):
            if text := lines_of_workers(run):
                say(text)

    watcher = threading.Thread(target=watch, name="progress of workers", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ends.set()
        watcher.join()
        for path in run.glob(f"*{_SUFFIX}"):  # of a worker that died
            path.unlink(missing_ok=True)
