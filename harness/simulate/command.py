"""`python -m harness simulate`: scenarios of whole clusters on virtual time, seed by seed."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable

from harness.simulate.runs import KINDS, Finding, run_all, trace
from reference_broker.command_line import FAILED, WRONG_INPUT, Parser, as_typed

TOLD_EVERY_S = 10.0
MOST_JOBS = 256
HIGHEST_SEED = 10**12


def main(arguments: list[str], say: Callable[[str], None] = print) -> int:
    """Exit status: 0 if no scenario failed, 1 if one did, 2 for wrong input."""
    parser = Parser(
        prog=as_typed("harness simulate"),
        description="Runs clusters of the reference broker with raw clients and faults, in virtual time: crashes that "
        "lose what was not flushed, splits, pauses, slow disks, wrong clocks. The same seed gives the same events.",
        epilog=f"example: {as_typed('harness simulate --seeds 0..999 --jobs 2')}",
    )
    parser.add_argument(
        "--seeds", type=_seeds, default=range(100), metavar="A..B", help="which seeds, B included (default 0..99)"
    )
    parser.add_argument("--jobs", type=_jobs, default=1, metavar="N", help="processes (default 1)")
    parser.add_argument(
        "--kind",
        choices=list(KINDS),
        default="usual",
        help="usual: any faults (default); split: three nodes, one split and its heal, some in one cluster's life",
    )
    parser.add_argument("--trace", action="store_true", help="tell all that happens, of the first seed alone")
    parser.add_argument("--no-shrink", action="store_true", help="leave the schedule of a failing seed as it is")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as leaving:
        return WRONG_INPUT if leaving.code else 0
    if options.trace:
        return _trace(options.kind, options.seeds[0], say)
    return _simulate(options, say)


def _simulate(options: argparse.Namespace, say: Callable[[str], None]) -> int:
    seeds: range = options.seeds
    say(f"simulate      {len(seeds):,} seeds, {seeds[0]}..{seeds[-1]}, {options.jobs} at a time, kind {options.kind}")
    began = told = time.monotonic()
    count = failed = leaderless = acknowledged = virtual_ms = 0
    for finding in run_all(options.kind, seeds, options.jobs, is_shrunk=not options.no_shrink):
        count += 1
        acknowledged += finding.outcome.acknowledged
        virtual_ms += finding.outcome.virtual_ms
        leaderless += finding.outcome.has_removed_its_leader
        if finding.outcome.wrong is not None:
            failed += 1
            _tell_failure(options.kind, finding, say)
        if time.monotonic() - told >= TOLD_EVERY_S:
            told = time.monotonic()
            say(_progress(count, len(seeds), failed, acknowledged, told - began))
    took_s = time.monotonic() - began
    say(_progress(count, len(seeds), failed, acknowledged, took_s))
    if leaderless:
        say(
            f"leaderless    {leaderless:,} ended without a controller, and only safety was judged: a leader of two "
            "voters removed itself and ended before the other knew (as with Kafka, KIP-853)"
        )
    say(f"simulated     {virtual_ms / 3_600_000:,.2f} hours of {count:,} clusters in {took_s:,.1f} s")
    return FAILED if failed else 0


def _progress(count: int, of: int, failed: int, acknowledged: int, took_s: float) -> str:
    rate = count / took_s if took_s else 0.0
    return (
        f"seeds         {count:,} of {of:,} · {failed:,} failed · {rate:,.1f} seeds/s · "
        f"{acknowledged:,} values acknowledged, {acknowledged / max(took_s, 1e-9):,.0f}/s"
    )


def _tell_failure(kind: str, finding: Finding, say: Callable[[str], None]) -> None:
    outcome = finding.outcome
    say(f"FAILED        {outcome.wrong}")
    if finding.least:
        of = f"{finding.steps} faults, operations and members of groups"
        say(f"  It needs {len(finding.least)} of {of} (times since clients began):")
        for fault in finding.least:
            say(f"    {fault}")
    say(f"  Replay      {as_typed(f'harness simulate --seeds {outcome.seed} --kind {kind} --trace')}")


def _trace(kind: str, seed: int, say: Callable[[str], None]) -> int:
    outcome = trace(kind, seed)
    for line in outcome.lines:
        say(line)
    say(
        f"seed {seed}: {outcome.wrong or 'nothing is broken'} · {outcome.events:,} events · "
        f"{outcome.virtual_ms:,} ms · {outcome.acknowledged:,} acknowledged · digest {outcome.digest:08x}"
    )
    return 0 if outcome.wrong is None else FAILED


def _seeds(text: str) -> range:
    """A..B, or one seed. ArgumentTypeError for anything else."""
    found = re.fullmatch(r"(\d{1,12})(?:\.\.(\d{1,12}))?", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"must be A..B or one seed, whole numbers below {HIGHEST_SEED}, not {text!r}")
    first = int(found[1])
    last = first if found[2] is None else int(found[2])
    if last < first:
        raise argparse.ArgumentTypeError(f"must begin with the lower seed: {last}..{first}, not {text}")
    return range(first, last + 1)


def _jobs(text: str) -> int:
    """How many processes. ArgumentTypeError where that makes no sense."""
    if not text.isdecimal() or not 1 <= int(text) <= MOST_JOBS:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to {MOST_JOBS}, not {text!r}")
    return int(text)
