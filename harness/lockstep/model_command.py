"""`python -m harness model`: plays written sequences on one target; the model judges each answer."""

from __future__ import annotations

import argparse
import itertools
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from harness.clients.client import ClientTrouble
from harness.hosts.host import HostTrouble
from harness.lockstep.actions import Action, Request, Restart
from harness.lockstep.clusters import opened
from harness.lockstep.judging import run_name, script, shown
from harness.lockstep.modelled import Modelled, Step, Unkept
from harness.lockstep.search import WRITERS, listed_by_all, sequence
from harness.lockstep.shrink import shrunk
from harness.targets.target import UnknownTarget
from reference_broker.wire.api_keys import ApiKey

BAD_INPUT: Final = 2
SHRINK_TRIES: Final = 300
SHRINK_S: Final = 20.0


def main(arguments: list[str], say: Callable[[str], None] = print) -> int:
    """0 when all that was answered is allowed, 1 when something is not, 2 for wrong input or a target in trouble."""
    parser = argparse.ArgumentParser(
        prog="python -m harness model",
        description="Plays seeded sequences on one target; the model judges each answer.",
        epilog="example: python -m harness model --target reference --seconds 10 --writer log",
    )
    parser.add_argument("--target", default="reference", help="what to judge (default reference)")
    parser.add_argument("--seed", type=int, help="of the sequences; else one at random, which is printed")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long to play (default 10)")
    parser.add_argument(
        "--kinds", type=int, default=5, help="end after so many kinds of what is not allowed (default 5)"
    )
    parser.add_argument("--writer", action="append", choices=list(WRITERS), help="repeatable; else all, in turn")
    parser.add_argument("--players", type=int, default=3, help="sequences played at the same time (default 3)")
    parser.add_argument("--restarts", action="store_true", help="keep the restarts of the node, which take their time")
    parser.add_argument("--out", type=Path, default=Path("reports/out/model"), help="folder for scripts of findings")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as leaving:
        return BAD_INPUT if leaving.code else 0
    seed = options.seed if options.seed is not None else secrets.randbelow(10**8)
    say(f"model         {options.target}   seed {seed}   {', '.join(options.writer or WRITERS)}")
    try:
        with opened([options.target]) as ((name, cluster),):
            players = [Modelled(name, cluster, run_name()) for _ in range(1 if options.restarts else options.players)]
            players[0].player.prepare()
            found = _run(players, cluster.bootstrap, seed, options, say)
            for modelled in players:
                modelled.close()
    except (HostTrouble, ClientTrouble, UnknownTarget) as trouble:
        say(f"harness: model: {trouble}")
        return BAD_INPUT
    return 1 if found else 0


def _run(
    players: Sequence[Modelled], bootstrap: str, seed: int, options: Any, say: Callable[[str], None]
) -> Counter[str]:
    """Plays until the time is over; how often each kind was found."""
    found: Counter[str] = Counter()
    listed = listed_by_all([bootstrap])
    writers = options.writer or list(WRITERS)
    numbers, playing_s = itertools.count(), 0.0

    def turn(modelled: Modelled) -> tuple[int, list[Action], Unkept] | None:
        """Plays sequences until the time is over or something was not allowed."""
        while time.monotonic() < deadline and not is_over.is_set():
            number = next(numbers)
            written = sequence(writers[number % len(writers)], seed, number, listed)
            actions = [hurried(step) for step in written if options.restarts or not isinstance(step, Restart)]
            if (unkept := modelled.play(actions)) is not None:
                is_over.set()
                return number, actions, unkept
        return None

    with ThreadPoolExecutor(len(players)) as pool:
        while playing_s < options.seconds and len(found) < options.kinds:
            started, is_over = time.monotonic(), threading.Event()
            deadline = started + options.seconds - playing_s
            turns = list(pool.map(turn, players))
            playing_s += time.monotonic() - started
            steps = sum(modelled.steps for modelled in players)
            for number, actions, unkept in filter(None, turns):
                found[unkept.kind] += 1
                if found[unkept.kind] == 1:
                    say(f"\nNOT ALLOWED  sequence {number}, found after {playing_s:.1f} s")
                    _tell(players[0], actions[: unkept.at + 1], unkept, options.out / f"unkept-{len(found)}.py", say)
            for modelled, count in zip(players, _shares(steps, len(players)), strict=True):
                modelled.steps = count
    steps, sequences = sum(modelled.steps for modelled in players), next(numbers)
    rate = steps / playing_s if playing_s else 0.0
    parts = [f"{sequences:,} sequences", f"{steps:,} steps", f"{rate:,.0f} steps/s", f"{len(found)} kinds not allowed"]
    say(" · ".join([*parts, f"seed {seed}"]))
    return found


def _shares(steps: int, players: int) -> list[int]:
    """The steps so far, without those of shrinking, put down to the first player."""
    return [steps] + [0] * (players - 1)


def _tell(modelled: Modelled, actions: Sequence[Step], unkept: Unkept, path: Path, say: Callable[[str], None]) -> None:
    """Shows the shortest sequence, and keeps it as a script."""
    smallest, last = shortest(modelled, actions, unkept)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script(smallest, last, modelled.player.target), encoding="utf-8")
    for line in shown(smallest, last):
        say(f"  {line}")
    say(f"  Rerun  python {path}")


def hurried(step: Action) -> Action:
    """The step without waiting: the model does not judge how long a Fetch waits for records."""
    if isinstance(step, Request) and step.message.API_KEY == ApiKey.FETCH and step.message.max_wait_ms:
        return replace(step, message=msgspec.structs.replace(step.message, max_wait_ms=0))
    return step


def shortest(modelled: Modelled, steps: Sequence[Step], unkept: Unkept) -> tuple[tuple[Step, ...], Unkept]:
    """The shortest sequence, found in bounded time, that still breaks the same promise, and how it does."""
    last = [unkept]
    deadline = time.monotonic() + SHRINK_S

    def still(candidate: Sequence[Step]) -> bool:
        if time.monotonic() > deadline:
            return False
        try:
            again = modelled.play(candidate)
        except ClientTrouble:
            return False
        if again is None or again.kind != unkept.kind:
            return False
        last[0] = again
        return True

    smallest = shrunk(cast(Any, steps), cast(Any, still), SHRINK_TRIES)
    return smallest[: last[0].at + 1], last[0]
