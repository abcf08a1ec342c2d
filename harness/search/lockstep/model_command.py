"""`python -m harness model`: plays generated sequences on one target; the model judges each answer."""

from __future__ import annotations

import itertools
import secrets
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from harness.clients.client import ClientTrouble
from harness.history.whole_file import write_whole
from harness.hosts.host import HostTrouble
from harness.search.lockstep.actions import Action, Request, Restart
from harness.search.lockstep.clusters import MANY_DELETED, opened
from harness.search.lockstep.judging import run_name, script, shown
from harness.search.lockstep.modelled import Disagreement, Modelled, Step
from harness.search.lockstep.search import WRITERS, listed_by_all, sequence
from harness.search.lockstep.shrink import shrunk
from harness.search.sequences.writing import Listed
from harness.targets.target import UnknownTarget
from reference_broker.command_line import Parser, as_typed, seconds
from reference_broker.wire.api_keys import ApiKey

BAD_INPUT: Final = 2
PLAYERS: Final = 3
SHRINK_TRIES: Final = 300
SHRINK_S: Final = 20.0


def main(arguments: list[str], say: Callable[[str], None] = print) -> int:
    """Exit status: 0 if all answers are allowed, 1 if not, 2 for wrong input or a failing target."""
    parser = Parser(
        prog=as_typed("harness model"),
        description="Sends random sequences of requests to one target; the model judges each answer.",
        epilog=f"example: {as_typed('harness model --target reference --seconds 10 --writer log')}",
    )
    parser.add_argument("--target", default="reference", help="what to judge (default reference)")
    parser.add_argument("--seed", type=int, help="seed of the sequences (default: a random one, printed)")
    parser.add_argument("--seconds", type=seconds, default=10.0, help="how long to play (default 10)")
    parser.add_argument(
        "--kinds", type=int, default=5, help="stop after this many kinds of answers that are not allowed (default 5)"
    )
    parser.add_argument(
        "--writer",
        action="append",
        choices=list(WRITERS),
        help="generator of sequences; repeatable (default: all, in turn)",
    )
    parser.add_argument(
        "--players", type=int, default=PLAYERS, help=f"sequences played at the same time (default {PLAYERS})"
    )
    parser.add_argument("--restarts", action="store_true", help="also restart the node where a sequence says so (slow)")
    parser.add_argument(
        "--out", type=Path, default=Path("reports/out/model"), help="folder for the scripts that repeat what was found"
    )
    try:
        options = parser.parse_args(arguments)
    except SystemExit as leaving:
        return BAD_INPUT if leaving.code else 0
    seed = options.seed if options.seed is not None else secrets.randbelow(10**8)
    writers = tuple(options.writer or WRITERS)
    say(f"model         {options.target}   seed {seed}   {', '.join(writers)}")
    judging = Judging(
        target=options.target,
        seed=seed,
        writers=writers,
        players=1 if options.restarts else options.players,
        restarts=options.restarts,
    )
    try:
        judging.run(options.seconds, options.kinds, options.out, say)
    except (HostTrouble, ClientTrouble, UnknownTarget) as trouble:
        print(f"harness: model: {trouble}", file=sys.stderr)
        return BAD_INPUT
    parts = [f"{judging.sequences:,} sequences", f"{judging.steps:,} steps", f"{judging.rate:,.0f} steps/s"]
    say(" · ".join([*parts, f"{len(judging.found)} kinds not allowed", f"seed {seed}"]))
    return 1 if judging.found else 0


@dataclass(slots=True, kw_only=True)
class Judging:
    """Plays sequences on one target, several at the same time, and counts the answers that are not allowed."""

    target: str
    seed: int
    writers: tuple[str, ...] = tuple(WRITERS)
    players: int = PLAYERS
    restarts: bool = False
    """Whether to carry out restarts of the node (slow). Then there may be only one player."""
    found: Counter[str] = field(default_factory=Counter)
    """Kind of disagreement → how often it was found."""
    sequences: int = 0
    steps: int = 0
    seconds: float = 0.0
    """Time spent on playing, without shrinking, in s."""

    @property
    def rate(self) -> float:
        """Steps per second."""
        return self.steps / self.seconds if self.seconds else 0.0

    def run(self, seconds: float, kinds: int, out: Path, say: Callable[[str], None]) -> None:
        """Plays for `seconds`, or until `kinds` kinds of disagreements are found; writes a script for each kind to
        `out`. HostTrouble, ClientTrouble or UnknownTarget if the target fails."""
        with opened([self.target]) as (one,):
            players = [Modelled(one, run_name()) for _ in range(self.players)]
            players[0].player.prepare()
            listed = listed_by_all([one.cluster.bootstrap])
            with ThreadPoolExecutor(len(players)) as pool:
                while self.seconds < seconds and len(self.found) < kinds:
                    for number, actions, disagreement in self._round(pool, players, listed, seconds):
                        self.found[disagreement.kind] += 1
                        if self.found[disagreement.kind] == 1:
                            say(f"\nNOT ALLOWED  sequence {number}, found after {self.seconds:.1f} s")
                            path = out / f"disagreement-{len(self.found)}.py"
                            _tell(players[0], actions[: disagreement.at + 1], disagreement, path, say)
                    _tidy(players)
            for modelled in players:
                modelled.close()

    def _round(
        self, pool: ThreadPoolExecutor, players: Sequence[Modelled], listed: Listed, seconds: float
    ) -> list[tuple[int, list[Action], Disagreement]]:
        """Plays until the time is over or an answer is not allowed; returns (number, sequence, disagreement) of each
        player that found one."""
        started, is_over, numbers = time.monotonic(), threading.Event(), itertools.count(self.sequences)
        deadline = started + seconds - self.seconds

        def turn(modelled: Modelled) -> tuple[int, list[Action], Disagreement] | None:
            modelled.steps = 0
            while time.monotonic() < deadline and not is_over.is_set() and _deleted(players) <= MANY_DELETED:
                number = next(numbers)
                written = sequence(self.writers[number % len(self.writers)], self.seed, number, listed)
                actions = [hurried(step) for step in written if self.restarts or not isinstance(step, Restart)]
                if (disagreement := modelled.play(actions)) is not None:
                    is_over.set()
                    return number, actions, disagreement
            return None

        turns = list(pool.map(turn, players))
        self.seconds += time.monotonic() - started
        self.steps += sum(modelled.steps for modelled in players)
        self.sequences = next(numbers)
        return [one for one in turns if one is not None]


def _deleted(players: Sequence[Modelled]) -> int:
    return sum(modelled.player.deleted for modelled in players)


def _tidy(players: Sequence[Modelled]) -> None:
    """Player.tidy for all players, which share one node."""
    first = players[0].player
    first.deleted = _deleted(players)
    for modelled in players[1:]:
        modelled.player.deleted = 0
        modelled.player.close()
    first.tidy()


def _tell(
    modelled: Modelled, actions: Sequence[Step], disagreement: Disagreement, path: Path, say: Callable[[str], None]
) -> None:
    """Shrinks a sequence, reports it, and writes its script."""
    smallest, last = shortest(modelled, actions, disagreement)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, script(smallest, last, modelled.player.target))
    for line in shown(smallest, last):
        say(f"  {line}")
    say(f"  Rerun  python {path}")


def hurried(step: Action) -> Action:
    """The step with max_wait_ms=0 if it is a Fetch: the model does not judge how long a Fetch waits for records."""
    if isinstance(step, Request) and step.message.API_KEY == ApiKey.FETCH and step.message.max_wait_ms:
        return replace(step, message=msgspec.structs.replace(step.message, max_wait_ms=0))
    return step


def shortest(
    modelled: Modelled, steps: Sequence[Step], disagreement: Disagreement
) -> tuple[tuple[Step, ...], Disagreement]:
    """The shortest sequence with the same kind of disagreement, found within 300 tries and 20 s; and that
    disagreement."""
    last = [disagreement]
    deadline = time.monotonic() + SHRINK_S

    def still(candidate: Sequence[Step]) -> bool:
        if time.monotonic() > deadline:
            return False
        try:
            again = modelled.play(candidate)
        except ClientTrouble:
            return False
        if again is None or again.kind != disagreement.kind:
            return False
        last[0] = again
        return True

    smallest = shrunk(cast(Any, steps), cast(Any, still), SHRINK_TRIES)
    return smallest[: last[0].at + 1], last[0]
