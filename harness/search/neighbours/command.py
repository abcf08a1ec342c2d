"""`python -m harness neighbours`: searches for what changed between two releases of Kafka."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Final

from harness.clients.client import ClientTrouble
from harness.history.whole_file import write_whole
from harness.hosts.host import HostTrouble
from harness.search.lockstep.clusters import opened
from harness.search.lockstep.lockstep import Lockstep
from harness.search.lockstep.opening import openings
from harness.search.lockstep.player import Player
from harness.search.lockstep.replay import lines_of_differences
from harness.search.lockstep.search import listed_by_all
from harness.search.lockstep.source_text import lines_of, script_of
from harness.search.neighbours.readiness import await_coordinators
from harness.search.neighbours.release_diff import OF_ALL, ReleaseDiff
from harness.search.neighbours.replay import PATIENCE_S, REPLAY, SETTLE_S
from harness.search.strategies.setting_values import BROKER, rows
from harness.targets.target import UnknownTarget
from reference_broker.command_line import Parser, as_typed, seconds

BAD_INPUT = 2
COORDINATORS: Final = ("group.", "share.", "transaction.")
"""Prefixes of the names of broker configs that concern coordinators."""


def settings_by_seed(seed: int) -> dict[str, str]:
    """Random values for about 70% of the coordinators' broker configs whose valid values are words."""
    random = Random(f"settings/{seed}")
    found = {}
    for name, row in rows(BROKER).items():
        words = ("true", "false") if row.kind == "BOOLEAN" else row.words
        if name.startswith(COORDINATORS) and not row.is_internal and words and random.random() < 0.7:
            found[name] = ",".join(words) if row.kind == "LIST" else random.choice(words)
    return found


def main(arguments: list[str], say: Callable[[str], None] = print) -> int:
    """Exit status: 0 if nothing differs, 1 if something does, 2 for wrong input or a failing target."""
    parser = Parser(
        prog=as_typed("harness neighbours"),
        description="Searches for what changed between two releases of Kafka; each difference counts once.",
        epilog=f"example: {as_typed('harness neighbours --target kafka@4.3.0 --target kafka@4.3.1 --seconds 60')}",
    )
    parser.add_argument(
        "--target", action="append", default=[], help="to be given twice: the older release, then the newer one"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the sequences (default 1)")
    parser.add_argument("--seconds", type=seconds, default=60.0, help="how long to search (default 60)")
    parser.add_argument(
        "--settings", type=int, help="seed of random settings for the nodes' coordinators (default: no such settings)"
    )
    parser.add_argument(
        "--writer",
        action="append",
        choices=list(OF_ALL),
        help="generator of sequences; repeatable (default: all, in turn)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("reports/out/neighbours"),
        help="folder for the scripts that repeat what was found",
    )
    try:
        options = parser.parse_args(arguments)
    except SystemExit as leaving:
        return BAD_INPUT if leaving.code else 0
    if len(options.target) != 2:
        print(f"harness: neighbours: --target must be given twice, not {len(options.target)} times", file=sys.stderr)
        return BAD_INPUT
    settings = {} if options.settings is None else settings_by_seed(options.settings)
    say(f"neighbours    {' | '.join(options.target)}   seed {options.seed}   settings {settings or 'default'}")
    try:
        with opened(options.target, settings) as sides:
            first, second = (Player(one, PATIENCE_S, SETTLE_S) for one in sides)
            bootstraps = [one.cluster.bootstrap for one in sides]
            for bootstrap in bootstraps:
                await_coordinators(bootstrap)
            listed = listed_by_all(bootstraps)
            found = ReleaseDiff(lockstep=Lockstep((first, second)), listed=listed, seed=options.seed)
            writers = options.writer or tuple(OF_ALL)
            try:
                found.search(openings(bootstraps, listed), writers, options.seconds, say)
            finally:
                _tell(found, options.target, settings, options.out, say)
                first.close()
                second.close()
    except (HostTrouble, ClientTrouble, UnknownTarget) as trouble:
        print(f"harness: neighbours: {trouble}", file=sys.stderr)
        return BAD_INPUT
    return 1 if found.met else 0


def _tell(
    found: ReleaseDiff, targets: list[str], settings: Mapping[str, str], out: Path, say: Callable[[str], None]
) -> None:
    """Reports all differences found, and writes a script for each."""
    out.mkdir(parents=True, exist_ok=True)
    for number, met in enumerate(found.met, 1):
        differing = lines_of_differences(met.divergence.differences)
        about = [
            f"Differs on {' and '.join(targets)}: {met.items[0]}",
            f"Found by seed {found.seed}, {met.writer} {met.number}, "
            f"after {met.after_s:.1f} s and {met.after_steps:,} steps.",
        ]
        path = out / f"difference_{number}.py"
        script = script_of(met.actions, about, targets, REPLAY)
        if settings:
            script = script.replace(f"(ACTIONS, {targets!r})", f"(ACTIONS, {targets!r}, {dict(settings)!r})")
        write_whole(path, script)
        say(f"\nDIFFERS  {'; '.join(met.items)}   ({met.writer} {met.number}, {met.after_s:.1f} s)  {path}")
        for line in (*lines_of(met.actions), *differing):
            say(f"  {line}")
    say(
        f"{found.sequences:,} sequences · {found.steps:,} steps · {found.seconds:.0f} s · "
        f"{len(found.met)} differences · seed {found.seed}"
    )
