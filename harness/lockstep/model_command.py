"""`python -m harness model`: plays written sequences on one target; the model judges each answer."""

from __future__ import annotations

import argparse
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, cast

from harness.clients.client import ClientTrouble
from harness.hosts.host import HostTrouble
from harness.lockstep.clusters import opened
from harness.lockstep.judging import run_name, script, shown
from harness.lockstep.modelled import Modelled, Step, Unkept
from harness.lockstep.search import WRITERS, listed_by_all, sequence
from harness.lockstep.shrink import shrunk
from harness.targets.target import UnknownTarget

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
    parser.add_argument("--out", type=Path, default=Path("reports/out/model"), help="folder for scripts of findings")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as leaving:
        return BAD_INPUT if leaving.code else 0
    seed = options.seed if options.seed is not None else secrets.randbelow(10**8)
    writers = options.writer or list(WRITERS)
    say(f"model         {options.target}   seed {seed}   {', '.join(writers)}")
    try:
        with opened([options.target]) as ((name, cluster),):
            modelled = Modelled(name, cluster, run_name())
            modelled.player.prepare()
            found = _run(modelled, cluster.bootstrap, seed, options, writers, say)
            modelled.close()
    except (HostTrouble, ClientTrouble, UnknownTarget) as trouble:
        say(f"harness: model: {trouble}")
        return BAD_INPUT
    return 1 if found else 0


def _run(
    modelled: Modelled, bootstrap: str, seed: int, options: Any, writers: Sequence[str], say: Callable[[str], None]
) -> Counter[str]:
    """Plays until the time is over; how often each kind was found."""
    found: Counter[str] = Counter()
    listed = listed_by_all([bootstrap])
    number, playing_s, steps = 0, 0.0, 0
    while playing_s < options.seconds and len(found) < options.kinds:
        actions = sequence(writers[number % len(writers)], seed, number, listed)
        modelled.steps, started = 0, time.monotonic()
        unkept = modelled.play(actions)
        playing_s += time.monotonic() - started
        steps += modelled.steps
        number += 1
        if unkept is None:
            continue
        found[unkept.kind] += 1
        if found[unkept.kind] == 1:
            smallest, last = shortest(modelled, actions[: unkept.at + 1], unkept)
            path = options.out / f"unkept-{len(found)}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(script(smallest, last, options.target), encoding="utf-8")
            say(f"\nNOT ALLOWED  sequence {number - 1}, found after {playing_s:.1f} s")
            for line in shown(smallest, last):
                say(f"  {line}")
            say(f"  Rerun  python {path}")
    rate = steps / playing_s if playing_s else 0.0
    parts = [f"{number:,} sequences", f"{steps:,} steps", f"{rate:,.0f} steps/s", f"{len(found)} kinds not allowed"]
    say(" · ".join([*parts, f"seed {seed}"]))
    return found


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
