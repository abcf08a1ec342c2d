"""Prints the account of a stored run: `python -m harness account RUN [--strict]`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from harness.catalogue import ROOT as PROJECT
from harness.comparing.account.account import Source
from harness.comparing.account.judging import gaps
from harness.comparing.account.unprovoked import UNPROVOKED_FILE, Unprovoked, UnprovokedTrouble, read_unprovoked
from harness.comparing.known_differences import KnownDifferences, KnownDifferencesTrouble, read_known
from harness.comparing.known_differences import Source as Origin
from harness.history.store import Run, StoreTrouble
from reference_broker.command_line import Parser, as_typed

BAD_INPUT: Final = 2
MOST_SHOWN: Final = 60
"""Most gaps that are shown without --strict."""
Json = Mapping[str, Any]


def table(account: Json) -> Iterator[str]:
    """Lines of the table: a header, and a line per API with three columns per target: versions requested of those
    listed, error codes provoked of those in Kafka's recorded answers, and exchanges.
    """
    targets: Sequence[str] = account["targets"]
    wide = max((len(api["api"]) for api in account["apis"]), default=3)
    columns = [max(len(target), 26) for target in targets]
    heads = "  ".join(f"{target:<{width}}" for target, width in zip(targets, columns, strict=True))
    yield f"{'API':<{wide}}  {heads}  differences"
    below = "  ".join(f"{'versions  codes  exchanges':<{width}}" for width in columns)
    yield f"{'':<{wide}}  {below}"
    for api in account["apis"]:
        if not any(row["targets"][target]["exercised"] for row in api["versions"] for target in targets):
            continue
        cells = "  ".join(f"{_cell(api, target):<{width}}" for target, width in zip(targets, columns, strict=True))
        yield f"{api['api']:<{wide}}  {cells}  {_differences(api)}".rstrip()


def _cell(api: Json, target: str) -> str:
    cells = [row["targets"][target] for row in api["versions"]]
    listed = sum(cell["listed"] for cell in cells)
    asked = sum(bool(cell["exercised"]) for cell in cells if cell["listed"])
    expected = recorded(api)
    provoked = sum(bool(refusal["provoked"][target]) for refusal in expected)
    exchanges = sum(cell["exercised"] for cell in cells)
    return f"{f'{asked}/{listed}':>8}  {f'{provoked}/' + str(len(expected)):>5}  {exchanges:>9,}"


def recorded(api: Json) -> list[Json]:
    """The error codes of an API that occur in Kafka's recorded answers."""
    return [refusal for refusal in api["refusals"] if refusal["source"] == Source.RECORDED]


def _differences(api: Json) -> str:
    accepted = sum(bool(one["accepted_by"]) for one in api["differences"])
    still_open = len(api["differences"]) - accepted
    parts = [f"{still_open:,} open" if still_open else "", f"{accepted:,} accepted" if accepted else ""]
    return ", ".join(filter(None, parts)) or "none"


def totals(account: Json) -> str:
    """A line with the totals of each target."""
    targets = account["targets"]
    ours = [api for api in account["apis"] if api["has_header"]]
    parts = []
    for target in targets:
        cells = [row["targets"][target] for api in ours for row in api["versions"] if row["targets"][target]["listed"]]
        refusals = [refusal for api in ours for refusal in recorded(api)]
        asked = sum(bool(cell["exercised"]) for cell in cells)
        provoked = sum(bool(refusal["provoked"][target]) for refusal in refusals)
        parts.append(
            f"{target}: {asked:,} of {len(cells):,} versions, {provoked:,} of {len(refusals):,} refusals of Kafka"
        )
    return "; ".join(parts)


def codes_of_accidents(known: KnownDifferences) -> dict[str, frozenset[str]]:
    """API → the names of the error codes in which Kafka and the reference differ by an accepted accident."""
    found: dict[str, list[str]] = {}
    for one in known.accepted:
        if one.source is Origin.ACCIDENT and one.field.endswith("error_code"):
            found.setdefault(one.api, []).extend(value.partition(" ")[2] for value in one.values)
    return {api: frozenset(names) for api, names in found.items()}


def main(arguments: list[str], say: Callable[[str], None] = print) -> int:
    """Exit status: 0; with --strict, 1 if something is missing; 2 for wrong input."""
    parser = Parser(
        prog=as_typed("harness account"),
        description="Prints what a run compared (APIs, versions, error codes, differences), and what is missing.",
        epilog=f"example: {as_typed('harness account reports/out/latest --strict')}",
    )
    parser.add_argument("run", type=Path, help="the folder of a run")
    parser.add_argument("--strict", action="store_true", help="exit with status 1 if something is missing")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as leaving:
        return BAD_INPUT if leaving.code else 0
    try:
        account = Run(options.run).account()
        unprovoked = read_unprovoked(PROJECT / "checks" / UNPROVOKED_FILE)
        accidents = codes_of_accidents(read_known(PROJECT / "checks" / "known_differences.toml"))
    except (StoreTrouble, UnprovokedTrouble, KnownDifferencesTrouble) as trouble:
        print(f"harness: {trouble}", file=sys.stderr)
        return BAD_INPUT
    if account is None:
        print(
            f"harness: {options.run}: no account.json; only runs whose checks compare answers have one",
            file=sys.stderr,
        )
        return BAD_INPUT
    return _told(account, unprovoked, accidents, is_strict=options.strict, say=say)


def _told(
    account: Json,
    unprovoked: Sequence[Unprovoked],
    accidents: Mapping[str, frozenset[str]],
    *,
    is_strict: bool,
    say: Callable[[str], None],
) -> int:
    for line in table(account):
        say(line)
    missing = gaps(account, unprovoked, accidents)
    say("")
    for line in missing if is_strict else missing[:MOST_SHOWN]:
        say(f"missing  {line}")
    if not is_strict and len(missing) > MOST_SHOWN:
        say(f"missing  … and {len(missing) - MOST_SHOWN:,} more: --strict shows all")
    here = [one for one in unprovoked if any(fnmatchcase(target, one.target) for target in account["targets"])]
    excused = f"; {len(here):,} more were never provoked, for a reason (checks/{UNPROVOKED_FILE})" if here else ""
    if not account["has_recording"]:
        say("there is no recording of Kafka to compare with, so its error codes are not known")
    say(f"{totals(account)}{excused}")
    if (sample := account.get("sample")) is not None:
        say(f"sampled {sample['taken']:,} of {sample['of']:,} items (--sample): what was not asked is not missing")
    say(f"{len(missing):,} missing" if missing else "nothing is missing")
    return int(is_strict and bool(missing))


__all__ = ["main", "table", "totals"]
