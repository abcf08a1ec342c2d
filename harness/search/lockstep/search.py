"""Searches for differences: generates sequences from a seed, plays them in lockstep, and shrinks those that differ."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from harness.clients.client import ClientTrouble
from harness.clients.connection import RawConnection
from harness.comparing.diff import Difference
from harness.search.lockstep.actions import Action
from harness.search.lockstep.lockstep import Divergence, Lockstep, Played
from harness.search.lockstep.opening import NAME as OPENING
from harness.search.lockstep.shrink import shrunk
from harness.search.sequences import any_request, clusters, groups, log, topics
from harness.search.sequences.writing import Listed, Write, fitted
from reference_broker.wire.api_keys import APIS

WRITERS: Final[Mapping[str, Write]] = {
    "log": log.write,
    "topics": topics.write,
    "groups": groups.write,
    "any_request": any_request.write,
}
"""Name → writer (generator of sequences). A search uses them in turn."""
OF_CLUSTERS: Final[Mapping[str, Write]] = {"clusters": clusters.write}
"""The writers for clusters of three nodes."""
SHRINK_TRIES: Final = 300
PACE_TRIES: Final = 2
"""How often a difference in pace must be repeated before it counts."""
SHRINK_S: Final = 40.0
"""Time limit for shrinking one sequence; enough for a short sequence on a slow target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One kind of difference, with the shortest sequence found that shows it."""

    writer: str
    number: int
    """The number of the sequence in the search. With the seed and the writer, it reproduces the sequence."""
    actions: tuple[Action, ...]
    divergence: Divergence
    found_after_s: float


@dataclass(slots=True, kw_only=True)
class Search:
    """The state and the findings of a search."""

    seed: int
    sequences: int = 0
    playing: tuple[str, int] = ("", 0)
    """(writer, number) of the current or last sequence."""
    steps: int = 0
    seconds: float = 0.0
    findings: dict[str, Finding] = field(default_factory=dict)
    """Kind of divergence → finding, in the order of discovery."""
    repeats: Counter[str] = field(default_factory=Counter)
    """Kind of divergence → how often it occurred, including the first time."""
    accepted: list[Difference] = field(default_factory=list)
    exercised: Counter[tuple[str, int]] = field(default_factory=Counter)
    """(API, version) → number of exchanges compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a search ends: at the first limit reached."""

    seconds: float = 60.0
    steps: int = 10_000_000
    kinds: int = 20
    """Number of kinds of differences found."""
    shrink_tries: int = SHRINK_TRIES
    """How often a sequence may be played to shrink it."""


def listed_by_all(bootstraps: Sequence[str]) -> Listed:
    """API key → the versions that all targets list and this project can encode."""
    tables = []
    for bootstrap in bootstraps:
        with RawConnection.to(bootstrap) as connection:
            tables.append({key: connection.listed(key) for key in APIS})
    found = {}
    for key, api in APIS.items():
        low = max([*(table[key][0] for table in tables), api.valid[0]])
        high = min([*(table[key][1] for table in tables), api.valid[1]])
        if low <= high:
            found[key] = (low, high)
    return found


def sequence(writer: str, seed: int, number: int, listed: Listed) -> tuple[Action, ...]:
    """The sequence with this number, of this writer, in a search with this seed."""
    return tuple(map(fitted, {**WRITERS, **OF_CLUSTERS}[writer](Random(f"{seed}/{writer}/{number}"), listed)))


def search(
    lockstep: Lockstep,
    listed: Listed,
    state: Search,
    limits: Limits,
    writers: Sequence[str] = tuple(WRITERS),
    say: Callable[[str], None] = lambda line: None,
    opening: Sequence[tuple[Action, ...]] = (),
) -> Search:
    """Plays the opening, then the writers' sequences until a limit is reached; returns `state`, with the findings.

    ClientTrouble or HostTrouble if a target fails; `state` then has the findings so far.
    """
    started = time.monotonic()
    while state.seconds < limits.seconds and state.steps < limits.steps and len(state.findings) < limits.kinds:
        number = state.sequences - len(opening)
        writer = OPENING if number < 0 else writers[number % len(writers)]
        actions = opening[state.sequences] if number < 0 else sequence(writer, state.seed, number, listed)
        state.playing = (writer, number if number >= 0 else state.sequences)
        played = _confirmed(lockstep, actions)
        state.sequences += 1
        state.steps += played.steps
        state.accepted += played.accepted
        state.exercised.update((one.api, one.version) for one, _ in played.observations)
        state.seconds = time.monotonic() - started
        if played.divergence is not None:
            _keep(state, lockstep, actions[: played.divergence.at + 1], played, limits, say)
    state.seconds = time.monotonic() - started
    return state


def _confirmed(lockstep: Lockstep, actions: Sequence[Action]) -> Played:
    """Plays a sequence. A difference in pace must occur three times, because a busy machine may cause it."""
    played = lockstep.play(actions)
    for _ in range(PACE_TRIES):
        if played.divergence is None or "(pace)" not in played.divergence.kind:
            break
        played = lockstep.play(actions)
    return played


def _keep(
    state: Search,
    lockstep: Lockstep,
    actions: tuple[Action, ...],
    played: Played,
    limits: Limits,
    say: Callable[[str], None],
) -> None:
    """Counts a divergence; shrinks and stores it if it is of a new kind."""
    assert played.divergence is not None
    kind = played.divergence.kind
    state.repeats[kind] += 1
    if kind in state.findings:
        return
    writer, number = state.playing
    say(f"{writer} {number} differs after {state.seconds:.1f} s: {kind}; shrinking")
    last: list[Divergence] = [played.divergence]

    deadline = time.monotonic() + SHRINK_S

    def still(candidate: Sequence[Action]) -> bool:
        if time.monotonic() > deadline:
            return False
        try:
            divergence = lockstep.play(candidate).divergence
        except ClientTrouble:
            return False
        if divergence is None or divergence.kind != kind:
            return False
        last[0] = divergence
        return True

    smallest = shrunk(actions, still, limits.shrink_tries)
    state.findings[kind] = Finding(
        writer=writer,
        number=number,
        actions=smallest,
        divergence=last[0],
        found_after_s=state.seconds,
    )
