"""Which recording each target of a run is compared with: that of its own release, or the one that was named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harness.comparing.recorded.answers import ROOT, Recording, RecordingTrouble, folder_for, read_recording, remake

OF_ONE_NODE: Final = "answers were recorded of clusters as the checks ask for them, most of one node"


@dataclass(slots=True)
class Chosen:
    """The recordings of a run."""

    by_target: dict[str, Recording] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """Why a target is compared with none."""

    def all(self) -> list[Recording]:
        """Each once."""
        return list({recording.name: recording for recording in self.by_target.values()}.values())


def choose(
    wanted: str | None, targets: Iterable[tuple[str, str | None]], base: Path, nodes: int | None = None
) -> Chosen:
    """The recording for each (target, release that it claims to be): the one in the folder `wanted`, or else that of
    its release; none where --nodes gives clusters of several nodes. RecordingTrouble when one was asked for, if only by
    an empty `wanted`, and there is none for any.
    """
    chosen = Chosen()
    if nodes is not None and nodes > 1:
        if wanted is not None:
            raise RecordingTrouble(f"--recorded with --nodes {nodes}: {OF_ONE_NODE}; leave one of them out")
        chosen.notes.append(f"none is compared: {OF_ONE_NODE}, and --nodes is {nodes}")
        return chosen
    root = base / ROOT
    if wanted is None and not root.is_dir():
        return chosen
    read: dict[Path, Recording] = {}
    for name, release in targets:
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
