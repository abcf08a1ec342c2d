"""`python -m harness lockstep`: searches for differences between two targets."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.clients.client import ClientTrouble
from harness.comparing.known_differences import Known, KnownDifferences, KnownDifferencesTrouble, read_known
from harness.history.whole_file import write_whole
from harness.hosts.host import HostTrouble
from harness.search.lockstep.clusters import opened
from harness.search.lockstep.lockstep import CHECK, OF_THREE, Lockstep, level_of
from harness.search.lockstep.opening import openings
from harness.search.lockstep.player import Player
from harness.search.lockstep.replay import lines_of_differences
from harness.search.lockstep.search import OF_CLUSTERS, WRITERS, Finding, Limits, Search, listed_by_all, search
from harness.search.lockstep.source_text import lines_of, script_of
from harness.targets.target import UnknownTarget, resolve
from reference_broker.command_line import Parser, as_typed, seconds

BAD_INPUT = 2
COMPLETE_STEPS = 20_000
"""After this many steps of all writers, an accepted difference that did not occur is considered gone."""
KNOWN = Path("checks") / "known_differences.toml"


def main(arguments: list[str], say: Callable[[str], None] = print) -> int:
    """Exit status: 0 if nothing differs; 1 if something does, or an accepted difference is gone; 2 for wrong input or a
    failing target."""
    parser = Parser(
        prog=as_typed("harness lockstep"),
        description="Sends the same random sequences of requests to two targets and compares all answers.",
        epilog=f"example: {as_typed('harness lockstep --target reference --target kafka@4.3.1 --seconds 60')}",
    )
    parser.add_argument(
        "--target", action="append", default=[], help="to be given twice; the same name twice opens two clusters of it"
    )
    parser.add_argument(
        "--nodes",
        type=int,
        choices=(1, 3),
        default=1,
        help="nodes of each cluster; with 3, replicas are placed, moved, elected and killed on both (default 1)",
    )
    parser.add_argument("--seed", type=int, help="seed of the sequences (default: a random one, printed)")
    parser.add_argument("--seconds", type=seconds, default=60.0, help="how long to search (default 60)")
    parser.add_argument("--steps", type=int, default=10_000_000, help="stop after this many steps")
    parser.add_argument("--kinds", type=int, default=20, help="stop after this many kinds of differences (default 20)")
    parser.add_argument(
        "--writer",
        action="append",
        choices=list(WRITERS),
        help="generator of sequences for one node; repeatable (default: all, in turn)",
    )
    parser.add_argument("--known", type=Path, default=KNOWN, help=f"file of accepted differences (default {KNOWN})")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("reports/out/lockstep"),
        help="folder for the scripts that repeat what was found",
    )
    try:
        options = parser.parse_args(arguments)
    except SystemExit as leaving:
        return BAD_INPUT if leaving.code else 0
    if len(options.target) != 2:
        print(f"harness: lockstep: --target must be given twice, not {len(options.target)} times", file=sys.stderr)
        return BAD_INPUT
    if options.writer and options.nodes > 1:
        print("harness: lockstep: --writer is for one node; leave it out, or --nodes", file=sys.stderr)
        return BAD_INPUT
    check = OF_THREE if options.nodes > 1 else CHECK
    writers = tuple(OF_CLUSTERS) if options.nodes > 1 else tuple(options.writer or WRITERS)
    seed = options.seed if options.seed is not None else secrets.randbelow(10**8)
    say(f"lockstep      {' | '.join(options.target)}   seed {seed}")
    found = Search(seed=seed)
    try:
        if options.known != KNOWN and not options.known.is_file():
            raise KnownDifferencesTrouble(f"--known: no such file: {options.known}")
        known = read_known(options.known, [resolve(name) for name in options.target])
        with opened(options.target, nodes=options.nodes) as sides:
            first, second = map(Player, sides)
            lockstep = Lockstep((first, second), lambda difference: known.accepts(difference) is not None, check)
            bootstraps = [one.cluster.bootstrap for one in sides]
            names = (first.target, second.target)
            listed = listed_by_all(bootstraps)
            opening = openings(bootstraps, listed) if options.nodes == 1 else []
            limits = Limits(seconds=options.seconds, steps=options.steps, kinds=options.kinds)
            search(lockstep, listed, found, limits, writers, say, opening)
            first.close()
            second.close()
    except (HostTrouble, ClientTrouble, UnknownTarget, KnownDifferencesTrouble) as trouble:
        _show(found, options.target, options.out, say)
        writer, number = found.playing
        print(f"harness: lockstep: {f'{writer} {number}: ' if writer else ''}{trouble}", file=sys.stderr)
        return BAD_INPUT
    _show(found, options.target, options.out, say)
    gone = gone_since(found, known, names, writers, check)
    for line in gone:
        print(f"harness: lockstep: {options.known}: {line}", file=sys.stderr)
    say(_last_line(found))
    return 1 if found.findings or gone else 0


def _show(found: Search, targets: list[str], out: Path, say: Callable[[str], None]) -> None:
    for number, finding in enumerate(found.findings.values(), 1):
        for line in _told(number, finding, found, targets, out):
            say(line)


def gone_since(
    found: Search, known: KnownDifferences, targets: tuple[str, str], writers: Sequence[str], check: str = CHECK
) -> list[str]:
    """A line for each accepted difference that did not occur; none if the search was not complete."""
    if found.steps < COMPLETE_STEPS or set(writers) < set(WRITERS):
        return []
    entries = (known.accepts(one) for one in found.accepted)
    used = {entry.number for entry in entries if isinstance(entry, Known)}
    return known.complaints(used, [(check, targets)])


def _told(number: int, finding: Finding, found: Search, targets: list[str], out: Path) -> list[str]:
    """The lines that report a finding; also writes its script to a file."""
    differing = lines_of_differences(finding.divergence.differences)
    about = [f"Differs on {' and '.join(targets)}.", *differing]
    path = out / f"difference-{number}.py"
    out.mkdir(parents=True, exist_ok=True)
    write_whole(path, script_of(finding.actions, about, targets))
    level = level_of(finding.divergence.differences[0])
    again = found.repeats[finding.divergence.kind]
    return [
        "",
        f"DIFFERS  {finding.divergence.kind}   ({level}; {finding.writer}, seen {again} times)",
        *(f"  {line}" for line in lines_of(finding.actions)),
        *(f"    {line}" for line in differing),
        f"  Rerun  python {path}",
    ]


def _last_line(found: Search) -> str:
    rate = found.steps / found.seconds if found.seconds else 0.0
    parts = (
        f"{found.sequences:,} sequences",
        f"{found.steps:,} steps",
        f"{rate:,.0f} steps/s",
        f"{len(found.exercised)} API versions",
        f"{len(found.findings)} kinds of differences",
        f"{len(found.accepted)} accepted",
        f"seed {found.seed}",
    )
    return " · ".join(parts)
