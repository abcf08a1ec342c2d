"""What the compatibility matrix shows, read from the account of a run (`account.json`): cells, codes, exchanges.

Each target's exchanges are paired with the other targets' of the same check and words. Values that occur often are kept
once, and the number of exchanges is bounded, so that the page stays small.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.comparing.diff import readable
from harness.history.store import StoreTrouble
from reports.results import Results, shown_path

ACCOUNT = "account.json"
BUDGET = 3_000_000
"""Characters of JSON that the page may carry; exchanges are left out until it does."""
KEPT = (12, 8, 6, 4, 3, 2, 1, 0)
"""How many exchanges of each version are kept: the first of these with which the page is small enough."""
LONG_VALUE = 12_000
"""Characters of a value from which its long arrays are shortened…"""
LONG_DIFFERING = 60_000
"""…and of one whose targets differ."""
SHORTENED_TO = 12
"""Elements that a shortened array keeps."""
EXACT = 2**53
"""Whole numbers that a page's script still tells apart."""

Json = dict[str, Any]


def read_account(results: Results) -> Json | None:
    """A run's account; None where it has none. StoreTrouble when it cannot be used."""
    path = results.path / ACCOUNT
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as trouble:
        raise StoreTrouble(f"{shown_path(path)}: cannot be read: {trouble}") from trouble
    if not isinstance(found, dict) or not isinstance(found.get("apis"), list):
        raise StoreTrouble(f"{shown_path(path)}: not an account of a run: it has no key apis")
    return found


def matrix_data(account: Mapping[str, Any], results: Results) -> Json:
    """All that the page needs, as JSON data. StoreTrouble when the account is of another form."""
    try:
        for kept in KEPT:
            made = _Writer(account, results, kept).made()
            if len(json.dumps(made)) <= BUDGET:
                break
    except (AttributeError, KeyError, TypeError, ValueError) as trouble:
        raise StoreTrouble(f"{shown_path(results.path / ACCOUNT)}: not of this version: {trouble!r}") from trouble
    return made


@dataclass(slots=True)
class Pool:
    """Values kept once and named by their numbers."""

    values: list[Any] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    def number(self, value: Any) -> int:
        """The number of a value."""
        key = json.dumps(value, sort_keys=True)
        if key not in self._numbers:
            self._numbers[key] = len(self.values)
            self.values.append(value)
        return self._numbers[key]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An exchange of one check as each target had it."""

    check: str
    request: str
    sides: Mapping[str, Mapping[str, Any]]
    """Target → its exchange."""

    @property
    def is_equal(self) -> bool:
        """Whether all targets that have it answered alike."""
        compared = [(side.get("answer"), side.get("outcome"), side.get("pace")) for side in self.sides.values()]
        return all(one == compared[0] for one in compared)


def paired(targets: Mapping[str, Mapping[str, Any]]) -> list[Pair]:
    """The exchanges of one version on each target, side by side, in the order in which they were kept."""
    found: dict[tuple[str, str, int], dict[str, Mapping[str, Any]]] = {}
    for target, cell in targets.items():
        times: dict[tuple[str, str], int] = defaultdict(int)
        for exchange in cell.get("exchanges", ()):
            key = str(exchange.get("check", "")), str(exchange.get("request", ""))
            times[key] += 1
            found.setdefault((*key, times[key]), {})[target] = exchange
    return [Pair(check=check, request=request, sides=sides) for (check, request, _), sides in found.items()]


class _Writer:
    """Makes the data with at most so many exchanges of each version."""

    def __init__(self, account: Mapping[str, Any], results: Results, kept: int) -> None:
        self._account = account
        self._results = results
        self._kept = kept
        self._targets = [str(target) for target in account.get("targets", ())]
        self._pool = Pool()
        self._checks: set[str] = set()
        self._codes: set[int] = set()
        self._left_out = 0

    def made(self) -> Json:
        apis = [self._api(api) for api in sorted(self._account["apis"], key=lambda api: str(api["api"]))]
        versions = self._results.versions
        return {
            "run": shown_path(self._results.path),
            "seed": self._results.seed,
            "targets": self._targets,
            "releases": [versions.get(target, "") for target in self._targets],
            "apis": apis,
            "codes": {code: name for code in sorted(self._codes) if (name := _name_of(code))},
            "checks": self._rerun_of_checks(),
            "values": self._pool.values,
            "left_out": self._left_out,
        }

    def _api(self, api: Mapping[str, Any]) -> Json:
        name, differences = str(api["api"]), merged([self._difference(found) for found in api.get("differences", ())])
        refusals = [self._refusal(found) for found in api.get("refusals", ())]
        listed = {str(found["code"]) for found in refusals}
        fields = Pool()
        rows = [
            self._version(version, api, differences, listed, fields)
            for version in sorted(api.get("versions", ()), key=lambda version: int(version["version"]))
        ]
        return {
            "api": name,
            "key": api.get("key", -1),
            "versions": rows,
            "refusals": refusals,
            "differences": differences,
            "fields": fields.values,
        }

    def _version(
        self,
        version: Mapping[str, Any],
        api: Mapping[str, Any],
        differences: Sequence[Json],
        listed: set[str],
        fields: Pool,
    ) -> Json:
        number = int(version["version"])
        known = api.get("all_fields", {}).get(str(number), ())
        known_answers = api.get("all_answer_fields", {}).get(str(number), ())
        here = [found for found in differences if found["version"] == number]
        pairs = paired(version["targets"])
        asked = {(found["check"], found["exchange"]) for found in here}
        pairs.sort(key=lambda pair: ((pair.check, pair.request) not in asked, pair.is_equal))
        kept = pairs[: self._kept]
        self._left_out += len(pairs) - len(kept)
        return {
            "version": number,
            "known": [fields.number(name) for name in known],
            "known_answers": [fields.number(name) for name in known_answers],
            "cells": [
                self._cell(target, version["targets"].get(target) or {}, here, listed, known, fields)
                for target in self._targets
            ],
            "exchanges": [self._exchange(pair) for pair in kept],
            "open": sum(not found["accepted_by"] for found in here),
            "accepted": sum(bool(found["accepted_by"]) for found in here),
        }

    def _cell(
        self,
        target: str,
        cell: Mapping[str, Any],
        differences: Sequence[Json],
        listed: set[str],
        known: Sequence[str],
        fields: Pool,
    ) -> Json:
        codes = {str(code): int(times) for code, times in cell.get("error_codes", {}).items()}
        self._codes.update(int(code) for code in codes)
        mine = [found for found in differences if target in found["values"]]
        seen = [name for name in known if name in set(cell.get("fields", ()))]
        return {
            "state": state_of(cell),
            "listed": bool(cell.get("listed")),
            "exercised": int(cell.get("exercised", 0)),
            "codes": codes,
            "provoked": sum(code in listed for code in codes),
            "fields": [fields.number(name) for name in seen],
            "answers": [fields.number(name) for name in cell.get("answer_fields", ())],
            "open": sum(not found["accepted_by"] for found in mine),
            "accepted": sum(bool(found["accepted_by"]) for found in mine),
        }

    def _exchange(self, pair: Pair) -> Json:
        self._checks.add(pair.check)
        most = LONG_VALUE if pair.is_equal else LONG_DIFFERING
        for side in pair.sides.values():
            self._codes.update(error_codes(side.get("answer")))

        def numbered(value: Any) -> int:
            return self._pool.number(scripted(shortened(value, most)))

        def sided(side: Mapping[str, Any]) -> Json:
            texts = {name: str(side.get(name, "")) for name in ("outcome", "pace")}
            return {"sent": numbered(side.get("sent")), "answer": numbered(side.get("answer")), **texts}

        return {
            "check": pair.check,
            "request": pair.request,
            "sides": [sided(pair.sides[target]) if target in pair.sides else None for target in self._targets],
        }

    def _refusal(self, found: Mapping[str, Any]) -> Json:
        provoked = found.get("provoked", {})
        self._codes.add(int(found["code"]))
        return {
            "code": int(found["code"]),
            "name": str(found.get("name", "")),
            "when": str(found.get("when", "")),
            "source": str(found.get("source", "")),
            "provoked": [int(provoked.get(target, 0)) for target in self._targets],
            "reason": str(found.get("unprovoked_reason") or ""),
        }

    def _difference(self, found: Mapping[str, Any]) -> Json:
        self._checks.add(str(found.get("check", "")))
        return {
            "check": str(found.get("check", "")),
            "version": int(found.get("version", -1)),
            "field": str(found.get("field", "")),
            "values": {str(target): str(value) for target, value in found.get("values", {}).items()},
            "exchange": str(found.get("exchange", "")),
            "rerun": str(found.get("rerun") or ""),
            "accepted_by": str(found.get("accepted_by") or ""),
        }

    def _rerun_of_checks(self) -> Json:
        """Check → [its rerun command, its place on the summary page]: those of the comparison where there is one."""
        rows: Json = {}
        for result in sorted(self._results.results, key=lambda result: result.is_comparison):
            check = result.meta.check
            if check in self._checks:
                rows[check] = [result.meta.rerun or rows.get(check, [""])[0], result.anchor]
        return rows


def merged(differences: Sequence[Json]) -> list[Json]:
    """Differences of one field of one exchange as one, where targets were compared with several others."""
    found: dict[tuple[Any, ...], Json] = {}
    for one in differences:
        names = ("check", "version", "field", "exchange", "accepted_by")
        key: tuple[Any, ...] = tuple(one[name] for name in names)
        known = found.get(key)
        while known is not None and any(known["values"].get(to, said) != said for to, said in one["values"].items()):
            key = (*key, 0)  # one and the same target answered in two ways
            known = found.get(key)
        if known is None:
            found[key] = {**one, "values": dict(one["values"])}
        else:
            known["values"].update(one["values"])
    return list(found.values())


def state_of(cell: Mapping[str, Any]) -> str:
    """What a target does with a version: "exercised", "idle" (listed, never asked), "refused" or "absent"."""
    if cell.get("exercised", 0):
        return "exercised" if cell.get("served") else "refused"
    return "idle" if cell.get("listed") or cell.get("served") else "absent"


def error_codes(value: Any) -> Iterator[int]:
    """Every error code within an answer."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if str(name).endswith("error_code") and isinstance(inner, int):
                yield inner
            else:
                yield from error_codes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from error_codes(inner)


def shortened(value: Any, most: int) -> Any:
    """A value of more than so many characters with its long arrays cut; the cut says how much it left out."""
    return _cut(value) if len(json.dumps(value)) > most else value


def _cut(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _cut(inner) for name, inner in value.items()}
    if isinstance(value, list):
        left = len(value) - SHORTENED_TO
        kept = [_cut(inner) for inner in value[:SHORTENED_TO]]
        return [*kept, literal(f"… {left:,} more, left out here")] if left > 0 else kept
    return value


def scripted(value: Any) -> Any:
    """A value as the page's script can read it without loss: numbers that it would round become literals."""
    if isinstance(value, Mapping):
        return {str(name): scripted(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [scripted(inner) for inner in value]
    if isinstance(value, float) or (isinstance(value, int) and abs(value) >= EXACT):
        return literal(repr(value))
    return value


def literal(said: str) -> Json:
    """Text that the page shows as it is, without quotes."""
    return {"": said}


def _name_of(code: int) -> str:
    return readable("error_code", code).partition(" ")[2].strip("()")
