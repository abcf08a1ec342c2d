"""`python -m harness neighbours`: what differs between two releases of Kafka, each difference by itself.

A search for defects ends a sequence at its first difference. Between releases some differences are met in every
sequence (a new setting in each answer), so here a difference that is known does not count any more: the search goes on
behind it. What is found is kept as a script, to be named with the change that explains it.
"""

from __future__ import annotations

import argparse
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from harness.clients.client import ClientTrouble
from harness.diff import Difference
from harness.hosts.host import HostTrouble
from harness.lockstep.actions import Action, Request
from harness.lockstep.clusters import opened
from harness.lockstep.lockstep import Divergence, Lockstep
from harness.lockstep.neighbours_ready import await_coordinators
from harness.lockstep.neighbours_replay import PATIENCE_S, REPLAY, SETTLE_S
from harness.lockstep.opening import NAME as OPENING
from harness.lockstep.opening import openings
from harness.lockstep.player import Player
from harness.lockstep.replay import lines_of_differences
from harness.lockstep.search import SHRINK_S, SHRINK_TRIES, WRITERS, listed_by_all
from harness.lockstep.sequences import any_request, coordinators
from harness.lockstep.sequences.families import FAMILIES
from harness.lockstep.sequences.writing import Listed, Write, fitted
from harness.lockstep.shrink import shrunk
from harness.lockstep.source_text import lines_of, script_of
from harness.strategies.setting_values import BROKER, rows
from harness.targets.target import UnknownTarget

BAD_INPUT = 2
OF_ALL: Final[Mapping[str, Write]] = {
    **WRITERS,
    "any_request": any_request.write_of_all,
    "coordinators": coordinators.write,
    **{family: coordinators.writer_of(family) for family in FAMILIES},
}
"""The writers for two real Kafkas: of any API that both list."""
SETTING: Final = re.compile(r"configs\[([^\]]+)\](.*)")
NUMBER: Final = re.compile(r"-?\d+")
NAMES: Final = re.compile(r"[\w-]+(?:\.[\w-]+)+|\b(?:workers|others|orders|events|nobody's|nowhere)(?!\w)")
"""Of settings, and those that sequences give."""
MOST_TRIES: Final = 4
CHANCES: Final = 3
"""How often a difference that is not seen again is looked into."""
COORDINATORS: Final = ("group.", "share.", "transaction.")
"""Beginnings of their settings' names."""
_WORDS: Final = re.compile(r"[A-Za-z]+")
MADE_UP: Final = re.compile(r"(?<![\w-])[\w-]{22}(?![\w-])|127\.0\.0\.1:\d+")
"""The id that a coordinator gives to a member that speaks the classic protocol; where a node listens."""
BY_CHANCE: Final = (
    "ListTransactions ",  # what other sequences left, and how far their ends have come
    "ConsumerGroupDescribe groups[].members[]",  # in the order of names that are made up
    "ShareGroupHeartbeat assignment",  # by a hash of what is made up
    "ShareGroupDescribe groups[].members[].assignment",
    "ShareFetch responses[].topic_id",  # which partitions a fetch serves, and in which turn
    "ShareFetch responses[].partitions[].partition_index",
    "ShareFetch responses[].partitions[].records",
    "ShareFetch responses[].partitions[].acquired_records",
    "ShareFetch responses[].partitions[].current_leader",
)
"""Beginnings of items that differ between two of one release too."""
TURNS: Final = ("ShareFetch responses[]", "ShareFetch responses[].partitions[]")
"""Elements that one answer has and the other not, by chance too."""
TEXTS: Final = ".documentation"
"""A setting's words for people are no behaviour."""


def item_of(difference: Difference) -> str:
    """What a difference is about, whatever sequence met it: a setting, or a field with both codes or messages."""
    setting = SETTING.search(difference.field)
    if setting is not None:
        return f"setting {setting[1]}{setting[2]}"
    path = re.sub(r"\[\d+\]", "[]", difference.field)
    says_why = path.endswith(("error_code", "error_message")) or path.startswith("(")
    values = " | ".join(_shape(value) for value in difference.values.values()) if says_why else ""
    return f"{difference.api} {path} {values}".strip()


def _shape(value: str) -> str:
    """A message without the names and numbers of its case; a code as it is."""
    return value if value[:1] != '"' else NUMBER.sub("#", NAMES.sub("…", value))


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
class Apart:
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
        self.lockstep.accepts = self._is_known
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

    def _is_known(self, difference: Difference) -> bool:
        item = item_of(difference)
        if difference.field.endswith(TEXTS) or item in TURNS or any(map(item.startswith, BY_CHANCE)):
            return True
        return item in self.known or len({MADE_UP.sub("…", value) for value in difference.values.values()}) == 1

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


def settings_by_seed(seed: int) -> dict[str, str]:
    """What the coordinators of both nodes are set to, of the settings whose values are words."""
    random = Random(f"settings/{seed}")
    found = {}
    for name, row in rows(BROKER).items():
        words = ("true", "false") if row.kind == "BOOLEAN" else _WORDS.findall(row.valid.partition("[")[2])
        if name.startswith(COORDINATORS) and not row.is_internal and words and random.random() < 0.7:
            found[name] = ",".join(words) if row.kind == "LIST" else random.choice(words)
    return found


def main(arguments: list[str], say: Callable[[str], None] = print) -> int:
    """0 when nothing differs, 1 when something does, 2 for wrong input or a target in trouble."""
    parser = argparse.ArgumentParser(
        prog="python -m harness neighbours",
        description="Searches for what changed between two releases of Kafka; each difference counts once.",
        epilog="example: python -m harness neighbours --target kafka@4.3.0 --target kafka@4.3.1 --seconds 60",
    )
    parser.add_argument("--target", action="append", default=[], help="twice: the older, then the newer")
    parser.add_argument("--seed", type=int, default=1, help="of the sequences (default 1)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to search (default 60)")
    parser.add_argument(
        "--settings", type=int, help="seed of what the nodes' coordinators are set to (default: nothing)"
    )
    parser.add_argument("--writer", action="append", choices=list(OF_ALL), help="repeatable; else all, in turn")
    parser.add_argument("--out", type=Path, default=Path("reports/out/neighbours"), help="folder for the scripts")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as leaving:
        return BAD_INPUT if leaving.code else 0
    if len(options.target) != 2:
        say(f"harness: neighbours needs --target twice, not {len(options.target)} times")
        return BAD_INPUT
    settings = {} if options.settings is None else settings_by_seed(options.settings)
    say(f"neighbours    {' | '.join(options.target)}   seed {options.seed}   settings {settings or 'as ever'}")
    try:
        with opened(options.target, settings) as clusters:
            first, second = (Player(name, cluster, PATIENCE_S, SETTLE_S) for name, cluster in clusters)
            bootstraps = [cluster.bootstrap for _, cluster in clusters]
            for bootstrap in bootstraps:
                await_coordinators(bootstrap)
            listed = listed_by_all(bootstraps)
            apart = Apart(lockstep=Lockstep((first, second)), listed=listed, seed=options.seed)
            writers = options.writer or tuple(OF_ALL)
            try:
                apart.search(openings(bootstraps, listed), writers, options.seconds, say)
            finally:
                _tell(apart, options.target, settings, options.out, say)
                first.close()
                second.close()
    except (HostTrouble, ClientTrouble, UnknownTarget) as trouble:
        say(f"harness: neighbours: {trouble}")
        return BAD_INPUT
    return 1 if apart.met else 0


def _tell(apart: Apart, targets: list[str], settings: Mapping[str, str], out: Path, say: Callable[[str], None]) -> None:
    """All that was met, for a person, and the scripts in files."""
    out.mkdir(parents=True, exist_ok=True)
    for number, met in enumerate(apart.met, 1):
        differing = lines_of_differences(met.divergence.differences)
        about = [
            f"Differs on {' and '.join(targets)}: {met.items[0]}",
            f"Found by seed {apart.seed}, {met.writer} {met.number}, "
            f"after {met.after_s:.1f} s and {met.after_steps:,} steps.",
        ]
        path = out / f"difference_{number}.py"
        script = script_of(met.actions, about, targets, REPLAY)
        if settings:
            script = script.replace(f"(ACTIONS, {targets!r})", f"(ACTIONS, {targets!r}, {dict(settings)!r})")
        path.write_text(script, encoding="utf-8")
        say(f"\nDIFFERS  {'; '.join(met.items)}   ({met.writer} {met.number}, {met.after_s:.1f} s)  {path}")
        for line in (*lines_of(met.actions), *differing):
            say(f"  {line}")
    say(
        f"{apart.sequences:,} sequences · {apart.steps:,} steps · {apart.seconds:.0f} s · "
        f"{len(apart.met)} differences · seed {apart.seed}"
    )
