"""Searches for the differences between two releases of Kafka, each of which counts once.

A search for defects ends a sequence at its first difference. Between releases some differences occur in every sequence
(e.g. a new config in each answer). Therefore a difference that is already known is ignored here, and the sequence goes
on after it. Each finding becomes a script, to be stored with the change in Kafka that explains it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from harness.clients.client import ClientTrouble
from harness.search.lockstep.actions import Action, Request
from harness.search.lockstep.lockstep import Divergence, Lockstep
from harness.search.lockstep.opening import NAME as OPENING
from harness.search.lockstep.search import SHRINK_S, SHRINK_TRIES, WRITERS
from harness.search.lockstep.shrink import shrunk
from harness.search.neighbours.items import counts, item_of
from harness.search.sequences import any_request, coordinators
from harness.search.sequences.families import FAMILIES
from harness.search.sequences.writing import Listed, Write, fitted

OF_ALL: Final[Mapping[str, Write]] = {
    **WRITERS,
    "any_request": any_request.write_of_all,
    "coordinators": coordinators.write,
    **{family: coordinators.writer_of(family) for family in FAMILIES},
}
"""Name → writer, for two Apache Kafka clusters: all APIs that both list."""
MOST_TRIES: Final = 4
CHANCES: Final = 3
"""After this many occurrences that could not be repeated, a difference is ignored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """A difference between releases, with the other new differences at the same action."""

    writer: str
    number: int
    actions: tuple[Action, ...]
    divergence: Divergence
    items: tuple[str, ...]
    after_s: float
    after_steps: int


@dataclass(slots=True, kw_only=True)
class ReleaseDiff:
    """A search for differences between two releases, and its findings."""

    lockstep: Lockstep
    listed: Listed
    seed: int
    known: set[str] = field(default_factory=set)
    chance: Counter[str] = field(default_factory=Counter)
    """Item → how often it occurred and could not be repeated."""
    met: list[Met] = field(default_factory=list)
    sequences: int = 0
    steps: int = 0
    seconds: float = 0.0

    def search(
        self, opening: Sequence[tuple[Action, ...]], writers: Sequence[str], seconds: float, say: Callable[[str], None]
    ) -> None:
        """Plays the opening, then the writers' sequences in turn. ClientTrouble or HostTrouble if a target fails."""
        self.lockstep.accepts = lambda difference: not counts(difference, self.known)
        started = time.monotonic()
        while self.seconds < seconds:
            number = self.sequences - len(opening)
            writer = OPENING if number < 0 else writers[number % len(writers)]
            if number < 0:
                actions = opening[self.sequences]
            else:
                written = OF_ALL[writer](Random(f"{self.seed}/{writer}/{number}"), self.listed)
                # No restarts: because of the long session timeout, a release may register a restarted node only after a
                # minute.
                actions = tuple(fitted(action) for action in written if isinstance(action, Request))
            played = self.lockstep.play(actions)
            self.sequences += 1
            self.steps += played.steps
            self.seconds = time.monotonic() - started
            if played.divergence is not None:
                self._keep(writer, number if number >= 0 else self.sequences - 1, actions, played.divergence, say)
        self.seconds = time.monotonic() - started

    def _keep(
        self,
        writer: str,
        number: int,
        actions: tuple[Action, ...],
        divergence: Divergence,
        say: Callable[[str], None],
    ) -> None:
        wanted = item_of(divergence.differences[0])
        if wanted in self.known:
            return  # a difference in pace ends a sequence even if it is known
        say(f"{writer} {number} differs after {self.seconds:.1f} s, {self.steps:,} steps: {wanted}; shrinking")
        last = [divergence]
        tries = self._tries_needed(actions, wanted)
        if not tries:
            self.chance[wanted] += 1
            if self.chance[wanted] == CHANCES:
                self.known.add(wanted)
            say("  not seen again")
            return
        deadline = time.monotonic() + SHRINK_S

        def still(candidate: Sequence[Action]) -> bool:
            for _ in range(tries):
                found = self._shows(candidate, wanted) if time.monotonic() < deadline else None
                if found is not None:
                    last[0] = found
                    return True
            return False

        smallest = shrunk(actions[: divergence.at + 1], still, SHRINK_TRIES)
        new = tuple(dict.fromkeys(map(item_of, last[0].differences)))
        self.known.update(new, [wanted])
        self.met.append(
            Met(
                writer=writer,
                number=number,
                actions=smallest,
                divergence=last[0],
                items=new,
                after_s=self.seconds,
                after_steps=self.steps,
            )
        )

    def _tries_needed(self, actions: Sequence[Action], item: str) -> int:
        """How often to play a sequence to see a difference that may depend on a name's hash; 0 if it did not recur."""
        for tries in range(1, MOST_TRIES + 1):
            if self._shows(actions, item) is not None:
                return min(2 * tries - 1, MOST_TRIES)
        return 0

    def _shows(self, actions: Sequence[Action], item: str) -> Divergence | None:
        try:
            divergence = self.lockstep.play(actions).divergence
        except ClientTrouble:
            return None
        if divergence is None or item not in map(item_of, divergence.differences):
            return None
        return divergence
