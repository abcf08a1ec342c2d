"""Makes recordings: `python -m harness record --target kafka@4.3.1 [CHECKS…]`, and the plugin's recorder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from harness.catalogue import ROOT as PROJECT
from harness.comparing.observation import Observation
from harness.comparing.recorded.answers import (
    ROOT,
    Recording,
    RecordingTrouble,
    folder_of,
    read_file,
    read_recording,
    write_file,
)
from harness.pytest_plugin.options import ChosenTarget
from harness.targets.target import TargetKind, TargetTrouble, UnknownTarget, resolve_with_sockets
from reference_broker.command_line import Parser, as_typed

BAD_INPUT: Final = 2


class Recorder:
    """Writes the observations of a run on its target as a recording; `lines` then say what was written."""

    def __init__(self, root: Path, target: ChosenTarget) -> None:
        self.root = root
        self.target = target
        self.lines: list[str] = []

    @classmethod
    def of(cls, root: str | None, targets: Sequence[ChosenTarget]) -> Recorder | None:
        """A recorder for the run's first target, if --record is given; else None."""
        return None if root is None else cls(Path(root), targets[0])

    def write(
        self,
        held: Mapping[tuple[str, str], Sequence[Observation]],
        versions: Mapping[str, str],
        partial: Collection[str],
        has_file: Callable[[str], bool],
    ) -> None:
        """Writes the observations of each (check, target) in `held`, one file per file of checks.

        A file of which only some checks ran (`partial`) keeps the recordings of the others. A recorded file without a
        file of checks is removed.
        """
        release = versions.get(self.target.name) or self.target.release
        if release is None or not held:
            self.lines = ["recorded      nothing: no check that observes held"]
            return
        folder = folder_of(release, self.root)
        files: dict[str, dict[str, Sequence[Observation]]] = {}
        for (check, target), observations in held.items():
            if target == self.target.name and observations:
                files.setdefault(check.partition("::")[0], {})[check] = observations
        changed = 0
        for file, checks in sorted(files.items()):
            path = folder / f"{file}.jsonl"
            merged = {**(_kept(path) if file in partial else {}), **checks}
            changed += write_file(path, target=self.target.given, release=release, file=file, checks=merged)
        for path in sorted(folder.rglob("*.jsonl")):
            if not has_file(path.relative_to(folder).with_suffix("").as_posix()):
                path.unlink()
        count = sum(len(checks) for checks in files.values())
        self.lines = [
            f"recorded      {count:,} checks in {len(files):,} files of {folder}, {changed:,} of them changed",
            f"recorded      {told(folder)}",
        ]


def _kept(path: Path) -> Mapping[str, Sequence[Observation]]:
    try:
        return read_file(path)[1]
    except RecordingTrouble:
        return {}


def distinct(recording: Recording) -> int:
    """The number of distinct exchanges, by API, version and the request's fields, or its description if raw bytes were
    sent.
    """
    return len(
        {
            (one.api, one.version, one.request if one.sent is None else repr(one.sent))
            for observations in recording.checks.values()
            for one in observations
            if one.api
        }
    )


def told(folder: Path) -> str:
    """A line with the size of the recording in a folder."""
    recording = read_recording(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*.jsonl"))
    total = sum(len(observations) for observations in recording.checks.values())
    return (
        f"{recording.target}: {len(recording.checks):,} checks, {total:,} observations, "
        f"{distinct(recording):,} distinct exchanges, {size / 1e6:.1f} MB"
    )


def main(arguments: list[str], say: Callable[[str], None] = print) -> int:
    """Exit status: 0; 1 if a check failed, and therefore was not recorded; 2 for wrong input or other errors."""
    parser = Parser(
        prog=as_typed("harness record"),
        description="Runs the checks that compare, and records the target's answers in tests/recorded/.",
        epilog=f"example: {as_typed('harness record --target kafka@4.3.1')}",
    )
    parser.add_argument("--target", required=True, help="what to record: kafka@VERSION, docker@IMAGE, at:HOST:PORT")
    parser.add_argument("--into", type=Path, default=PROJECT / ROOT, help="the folder of recordings")
    parser.add_argument("checks", nargs="*", default=["checks"], help="which checks (default: all)")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as leaving:
        return BAD_INPUT if leaving.code else 0
    try:
        target = resolve_with_sockets(options.target)
    except (UnknownTarget, TargetTrouble) as trouble:
        print(f"harness: {trouble}", file=sys.stderr)
        return BAD_INPUT
    if target.kind is TargetKind.REFERENCE:
        print(
            f"harness: record --target {options.target}: a recording is of Apache Kafka, not of our own broker",
            file=sys.stderr,
        )
        return BAD_INPUT
    for place in options.checks:
        if not (PROJECT / place.partition("::")[0]).exists():
            print(f"harness: record {place}: no such checks (for instance checks/protocol)", file=sys.stderr)
            return BAD_INPUT
    command: list[Any] = [sys.executable, "-m", "pytest", *options.checks, "--target", options.target]
    command += ["--record", options.into.resolve(), "-q", "-p", "no:cacheprovider"]
    found = subprocess.run(command, cwd=PROJECT, check=False)
    return min(found.returncode, BAD_INPUT)


__all__ = ["Recorder", "distinct", "main", "told"]
