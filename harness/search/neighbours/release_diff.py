"""What differs between two releases of Kafka, each difference by itself.

A search for defects ends a sequence at its first difference. Between releases some differences are met in every
sequence (a new setting in each answer), so here a difference that is known does not count any more: the search goes on
behind it. What is found is kept as a script, to be named with the change that explains it.
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
"""The writers for two real Kafkas: of any API that both list."""
MOST_TRIES: Final = 4
CHANCES: Final = 3
"""How often a difference that is not seen again is looked into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """A difference between releases, with those that were new at the same action."""

    writer: str
    number: int
    actions: tuple[Action, ...]
    divergence: Divergence
    items: tuple[str, ...]
    after_s: float
    after_steps: int


@dataclass(slots=True, kw_only=True)
class ReleaseDiff:
    """How two releases differ, as far as it was searched."""

    lockstep: Lockstep
    listed: Listed
    seed: int
    known: set[str] = field(default_factory=set)
    chance: Counter[str] = field(default_factory=Counter)
    """How often a difference was not seen again."""
    met: list[Met] = field(default_factory=list)
    sequences: int = 0
    steps: int = 0
    seconds: float = 0.0

    def search(
        self, opening: Sequence[tuple[Action, ...]], writers: Sequence[str], seconds: float, say: Callable[[str], None]
    ) -> None:
        """Plays the opening, then the writers' sequences in turn. ClientTrouble, HostTrouble when a target is away."""
        self.lockstep.accepts = lambda difference: not counts(difference, self.known)
        started = time.monotonic()
        while self.seconds < seconds:
            number = self.sequences - len(opening)
            writer = OPENING if number < 0 else writers[number % len(writers)]
            if number < 0:
                actions = opening[self.sequences]
            else:
                written = OF_ALL[writer](Random(f"{self.seed}/{writer}/{number}"), self.listed)
                # No restarts: a release may need a minute to take its own node back (session timeouts are long here).
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
            return  # of pace: it ends a sequence though it is known
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
        """How often to play it so that it shows, which may hang on the hash of a name; 0 where it was chance."""
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
