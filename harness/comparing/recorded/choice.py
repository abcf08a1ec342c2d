"""Chooses the recording with which each target of a run is compared: that of its release, or the one given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harness.comparing.recorded.answers import ROOT, Recording, RecordingTrouble, folder_for, read_recording, remake

OF_ONE_NODE: Final = "answers were recorded of clusters as the checks ask for them, most of one node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The properties of a target that matter for the choice."""

    name: str
    release: str | None
    """Its release; None if it is not known."""
    is_of_others: bool = False
    """Whether it is an existing cluster, whose release follows from what it lists, not from its name."""
    has_several_brokers: bool = False


@dataclass(slots=True)
class Chosen:
    """The recordings of a run."""

    by_target: dict[str, Recording] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """Lines that say why a target is compared with none, or how its release was determined."""

    def all(self) -> list[Recording]:
        """All recordings, each once."""
        return list({recording.name: recording for recording in self.by_target.values()}.values())


def choose(wanted: str | None, sides: Iterable[Side], base: Path, nodes: int | None = None) -> Chosen:
    """The recording for each target: the one in folder `wanted`, or that of its release if `wanted` is None or empty;
    none if `nodes` is more than 1. RecordingTrouble if `wanted` is not None and no target can be compared.
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
    for side in sides:
        name, release = side.name, side.release
        folder = Path(wanted) if wanted else folder_for(release, root)
        if folder is None:
            teller = "neither its name nor what it lists tells" if side.is_of_others else "its name does not tell"
            what = f"release {release}" if release else f"its release, which {teller}"
            chosen.notes.append(f"{name}: there is no recording of {what}")
            continue
        if side.has_several_brokers and not wanted:
            chosen.notes.append(f"{name}: it lists what {release} does, and is not compared: it has several brokers")
            continue
        if folder not in read:
            read[folder] = read_recording(folder)
        if read[folder].is_for(release):
            chosen.by_target[name] = read[folder]
            if side.is_of_others and release:
                chosen.notes.append(f"{name} is of {release}: no other release lists the same APIs and features")
        else:
            chosen.notes.append(f"{name}: {folder} is of release {read[folder].release}, and not of {release}")
    if not chosen.by_target and wanted is not None:
        raise RecordingTrouble(f"--recorded: {'; '.join(chosen.notes)}; make one with: {remake('kafka@VERSION')}")
    return chosen
