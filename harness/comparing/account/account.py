"""The account of a run: for each API, version and target, the requests, error codes, fields, and examples of exchanges.

It is accumulated during the run, in bounded memory, and stored in the run's folder as account.json, from which pages
and tables are made.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from harness.comparing.observation import Observation, Plain, RequestOutcome
from reference_broker.wire.api_keys import APIS
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.schema import Field, is_in

MOST_EXCHANGES: Final = 12
"""Most exchanges that are kept for an API version on a target."""
LONG_ARRAY: Final = 12
"""Longer arrays in exchanges are cut to this length, followed by a note of how many elements were left out."""
BY_NAME: Final = {api.name: api for api in APIS.values()}
Refusals = Mapping[str, Sequence[tuple[int, str]]]
"""Name of an API → (error code, when) of each refusal in the header of the reference's file."""
Recorded = Mapping[str, Collection[int]]
"""Name of an API → error codes in recorded answers of Apache Kafka."""


class Source(StrEnum):
    """The source that says that an API may answer an error code."""

    RECORDED = "recorded"
    """A recorded answer of Apache Kafka."""
    EXPLAINED = "explained"
    """The header of the reference's file lists it, no recording has it, and checks/unprovoked.toml says why."""
    HEADER = "header"
    """Only the header of the reference's file lists it."""


@dataclass(slots=True)
class Tally:
    """Counts for one version of an API on one target."""

    exercised: int = 0
    answered: int = 0
    error_codes: Counter[int] = field(default_factory=Counter)
    """Error code → number of exchanges with it; each counts once per exchange."""
    fields: set[str] = field(default_factory=set)
    answer_fields: set[str] = field(default_factory=set)
    distinct: dict[tuple[str, tuple[int, ...]], dict[str, Any]] = field(default_factory=dict)
    further: list[dict[str, Any]] = field(default_factory=list)

    def add(self, check: str, observation: Observation, codes: tuple[int, ...]) -> None:
        """Counts an exchange, and keeps it if it is of a new kind or there is room."""
        self.exercised += 1
        self.answered += observation.outcome is RequestOutcome.ANSWERED
        self.error_codes.update(codes)
        key = (observation.request, codes)
        if key not in self.distinct and len(self.distinct) < MOST_EXCHANGES:
            self.distinct[key] = entry_of(check, observation)
        elif len(self.further) < MOST_EXCHANGES:
            self.further.append(entry_of(check, observation))

    def exchanges(self) -> list[dict[str, Any]]:
        """The kept exchanges, those of different kinds first."""
        return [*self.distinct.values(), *self.further][:MOST_EXCHANGES]

    @property
    def is_served(self) -> bool:
        """Whether there was an answer other than UNSUPPORTED_VERSION."""
        refused = self.error_codes[ErrorCode.UNSUPPORTED_VERSION]
        return self.answered > 0 and not (refused == self.answered and len(self.error_codes) == 1)


class Account:
    """Accumulates the account of a run."""

    def __init__(self, targets: Sequence[str]) -> None:
        self.targets = tuple(targets)
        self.listed: dict[str, dict[int, tuple[int, int]]] = {}
        """Target → API key → (lowest, highest) version that it lists."""
        self.tallies: dict[tuple[int, int, str], Tally] = {}

    def add(self, target: str, check: str, observation: Observation) -> None:
        """Counts an observation, unless it is not an exchange."""
        api = BY_NAME.get(observation.api)
        if api is None:
            return
        tally = self.tallies.setdefault((api.key, observation.version, target), Tally())
        tally.add(check, observation, error_codes(observation.answer))
        tally.fields.update(given(api.request.FIELDS, observation.sent))
        tally.answer_fields.update(given(api.response.FIELDS, observation.answer))

    def data(
        self,
        run: str,
        *,
        refusals: Refusals,
        recorded: Recorded,
        unprovoked: Mapping[tuple[str, int], str],
        differences: Sequence[Mapping[str, Any]],
        differing: Iterable[tuple[str, str, Observation]] = (),
        sample: tuple[int, int] | None = None,
    ) -> dict[str, Any]:
        """The account as JSON data. `differing`: (target, check, observation) of exchanges that must be kept. `sample`:
        (number of items run, number of all items) if not all were run.
        """
        for target, check, observation in differing:
            self._keep(target, check, observation)
        keys = {key for key, _, _ in self.tallies} | {key for found in self.listed.values() for key in found}
        apis = [self._api(key, refusals, recorded, unprovoked, differences) for key in sorted(keys) if key in APIS]
        whole = {"run": run, "targets": list(self.targets), "has_recording": bool(recorded), "apis": apis}
        return whole if sample is None else {**whole, "sample": {"taken": sample[0], "of": sample[1]}}

    def _keep(self, target: str, check: str, observation: Observation) -> None:
        api = BY_NAME.get(observation.api)
        tally = self.tallies.get((api.key, observation.version, target)) if api else None
        if tally is not None:
            key = (observation.request, error_codes(observation.answer))
            tally.distinct.pop(key, None)
            tally.distinct = {key: {**entry_of(check, observation, LONG_ARRAY * 8), "differs": True}, **tally.distinct}

    def _api(
        self,
        key: int,
        refusals: Refusals,
        recorded: Recorded,
        unprovoked: Mapping[tuple[str, int], str],
        differences: Sequence[Mapping[str, Any]],
    ) -> dict[str, Any]:
        api = APIS[key]
        versions = sorted(
            {version for at, version, _ in self.tallies if at == key}
            | {
                version
                for found in self.listed.values()
                if key in found
                for version in range(found[key][0], found[key][1] + 1)
            }
        )
        rows = [self._version(key, version) for version in versions]
        return {
            "api": api.name,
            "key": key,
            "has_header": api.name in refusals,
            "versions": rows,
            "refusals": [
                {
                    "code": code,
                    "name": code_name(code),
                    "when": when,
                    "source": source.value,
                    "in_header": code in dict(refusals.get(api.name, ())),
                    "provoked": {target: self._provoked(key, target, code) for target in self.targets},
                    "unprovoked_reason": unprovoked.get((api.name, code)),
                }
                for code, when, source in _expected(api.name, refusals, recorded, unprovoked)
            ],
            "differences": [one for one in differences if one["api"] == api.name],
            "all_fields": {str(version): list(leaves(api.request.FIELDS, version)) for version in versions},
            "all_answer_fields": {str(version): list(leaves(api.response.FIELDS, version)) for version in versions},
        }

    def _provoked(self, key: int, target: str, code: int) -> int:
        return sum(tally.error_codes[code] for (at, _, on), tally in self.tallies.items() if at == key and on == target)

    def _version(self, key: int, version: int) -> dict[str, Any]:
        return {
            "version": version,
            "targets": {target: self._cell(key, version, target) for target in self.targets},
        }

    def _cell(self, key: int, version: int, target: str) -> dict[str, Any]:
        low, high = self.listed.get(target, {}).get(key, (0, -1))
        is_listed = low <= version <= high
        tally = self.tallies.get((key, version, target))
        if tally is None:
            tally = Tally()
        return {
            "listed": is_listed,
            "served": tally.is_served if tally.exercised else is_listed,
            "exercised": tally.exercised,
            "error_codes": {str(code): count for code, count in sorted(tally.error_codes.items())},
            "fields": sorted(tally.fields),
            "answer_fields": sorted(tally.answer_fields),
            "exchanges": tally.exchanges(),
        }


def _expected(
    api: str, refusals: Refusals, recorded: Recorded, unprovoked: Mapping[tuple[str, int], str]
) -> Iterator[tuple[int, str, Source]]:
    """(error code, when, source) for each error that an API may answer; first those of the header, in its order."""
    words = dict(refusals.get(api, ()))
    seen = recorded.get(api, ())
    for code in [*words, *sorted(set(seen) - set(words))]:
        if code in seen:
            source = Source.RECORDED
        else:
            source = Source.EXPLAINED if (api, code) in unprovoked else Source.HEADER
        yield code, words.get(code, ""), source


def recorded_codes(observations: Iterable[Observation]) -> dict[str, frozenset[int]]:
    """Name of an API → the error codes in recorded answers, without NONE."""
    found: dict[str, set[int]] = {}
    for one in observations:
        if one.api in BY_NAME:
            found.setdefault(one.api, set()).update(error_codes(one.answer))
    return {api: frozenset(codes - {ErrorCode.NONE}) for api, codes in found.items()}


def entry_of(check: str, observation: Observation, longest: int = LONG_ARRAY) -> dict[str, Any]:
    """An exchange as JSON data for the account, with long arrays cut."""
    return {
        "check": check,
        "request": observation.request,
        "sent": shortened(observation.sent, longest),
        "answer": shortened(observation.answer, longest),
        "outcome": observation.outcome.value,
        "pace": observation.pace.value,
    }


def shortened(value: Plain, longest: int) -> Plain:
    """The data with arrays cut to `longest` elements, each followed by a note of how many were left out."""
    if isinstance(value, Mapping):
        return {key: shortened(inner, longest) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        cut = [shortened(inner, longest) for inner in value[:longest]]
        return [*cut, f"… and {len(value) - longest:,} more"] if len(value) > longest else cut
    return value


def error_codes(answer: Plain) -> tuple[int, ...]:
    """The distinct error codes in an answer, sorted."""
    return tuple(sorted(set(_codes(answer))))


def _codes(value: Plain) -> Iterator[int]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key.endswith("error_code") and isinstance(inner, int):
                yield inner
            else:
                yield from _codes(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _codes(inner)


def code_name(code: int) -> str:
    """The name of an error code; "code N" if it is unknown."""
    try:
        return ErrorCode(code).name
    except ValueError:
        return f"code {code}"


def leaves(fields: Sequence[Field], version: int, path: str = "") -> Iterator[str]:
    """The paths of all fields of a message in a version, like "topic_data[].name". Structs are expanded."""
    for one in fields:
        if is_in(version, one.versions):
            here = f"{path}{one.name}{'[]' if one.is_array and one.kind == 'struct' else ''}"
            if one.kind == "struct":
                yield from leaves(one.of.FIELDS, version, f"{here}.")
            else:
                yield here


def given(fields: Sequence[Field], message: Plain, path: str = "") -> Iterator[str]:
    """The paths, as in `leaves`, of fields in a message in normal form that do not have their default."""
    if not isinstance(message, Mapping):
        return
    for one in fields:
        value = message.get(one.name)
        here = f"{path}{one.name}{'[]' if one.is_array and one.kind == 'struct' else ''}"
        if one.kind == "struct":
            elements = value if one.is_array else [value]
            for inner in elements if isinstance(elements, Sequence) else ():
                yield from given(one.of.FIELDS, inner, f"{here}.")
        elif one.name in message and not _is_default(value, one):
            yield here


def _is_default(value: Plain, of: Field) -> bool:
    if of.is_array:
        return value is None if of.default is None else value is not None and not value
    if of.kind == "uuid":
        return value == "zero"
    if of.kind in ("bytes", "records"):
        return value is None if of.default is None else not value
    return bool(value == of.default)


def text_of(account: Mapping[str, Any]) -> str:
    """The account as JSON text."""
    return json.dumps(account, ensure_ascii=False, separators=(",", ":"), default=str) + "\n"
