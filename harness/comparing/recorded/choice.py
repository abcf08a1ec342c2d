"""Which recording each target of a run is compared with: that of its own release, or the one that was named."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harness.comparing.recorded.answers import ROOT, Recording, RecordingTrouble, folder_for, read_recording, remake
from harness.targets.reference import BASELINE

RELEASE: Final = re.compile(r"\d+\.\d+(?:\.\d+)?")


@dataclass(slots=True)
class Chosen:
    """The recordings of a run."""

    by_target: dict[str, Recording] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """Why a target is compared with none."""

    def all(self) -> list[Recording]:
        """Each once."""
        return list({recording.name: recording for recording in self.by_target.values()}.values())


def release_of(target: str) -> str | None:
    """The release that a target claims to be by its name; None where the name does not say."""
    kind, _, detail = target.partition("@")
    if kind in ("reference", "planted"):
        return detail if kind == "reference" and detail else BASELINE
    if kind == "kafka":
        return detail or None
    tag = detail.rpartition(":")[2]
    return tag if kind == "docker" and RELEASE.fullmatch(tag) else None


def choose(wanted: str | None, targets: Iterable[tuple[str, str]], base: Path) -> Chosen:
    """The recording for each (name, as given by --target): the one in the folder `wanted`, or else that of the target's
    release. RecordingTrouble when one was asked for, if only by an empty `wanted`, and there is none for any target.
    """
    chosen = Chosen()
    root = base / ROOT
    if wanted is None and not root.is_dir():
        return chosen
    read: dict[Path, Recording] = {}
    for name, given in targets:
        release = release_of(given)
        folder = Path(wanted) if wanted else folder_for(release, root)
        if folder is None:
            what = f"release {release}" if release else "its release, which its name does not tell"
            chosen.notes.append(f"{name}: there is no recording of {what}")
            continue
        if folder not in read:
            read[folder] = read_recording(folder)
        if read[folder].is_for(release):
            chosen.by_target[name] = read[folder]
        else:
            chosen.notes.append(f"{name}: {folder} is of release {read[folder].release}, and not of {release}")
    if not chosen.by_target and wanted is not None:
        raise RecordingTrouble(f"--recorded: {'; '.join(chosen.notes)}; make one with: {remake('kafka@VERSION')}")
    return chosen
