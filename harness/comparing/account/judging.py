"""Finds gaps in the account of a run: versions that were not requested, error codes that were not provoked. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.comparing.account.account import Source, code_name
from harness.comparing.account.unprovoked import UNPROVOKED_FILE, Unprovoked

Json = Mapping[str, Any]


NO_ACCIDENTS: Mapping[str, frozenset[str]] = {}


def gaps(
    account: Json, unprovoked: Sequence[Unprovoked], accidents: Mapping[str, frozenset[str]] = NO_ACCIDENTS
) -> list[str]:
    """A line for each gap, in the APIs that the reference implements. Gaps are:

    - a listed version that was not requested on a target (unless only a sample was run),
    - an error code in Kafka's recorded answers that was not provoked on a target and is not excused (unless only a
    sample was run), - an excuse for an error code that was provoked, or that is not expected for the API, - and, if
    there is a recording of Kafka: an error code that only the header of the reference's file lists; one in Kafka's
    recorded answers that the header does not list; one that was answered but is not in Kafka's recorded answers.

    `accidents` are the names of the codes, by API, in which Kafka and the reference differ by an accepted accident:
    they are no gaps.
    """
    targets, is_whole = account["targets"], "sample" not in account
    found: list[str] = []
    for api in (_without(one, accidents.get(one["api"], frozenset())) for one in account["apis"]):
        if api["has_header"]:
            if is_whole:
                found += [*_not_asked(api, targets), *_not_provoked(api, targets, unprovoked)]
            found += _provoked_after_all(api, targets, unprovoked)
            if account["has_recording"]:
                found += [*_named_by_the_header_alone(api), *_not_in_the_header(api), *_not_recorded(api)]
    return found + _needless(account, unprovoked)


def _without(api: Json, names: frozenset[str]) -> Json:
    """An API's account without some error codes."""
    if not names:
        return api
    refusals = [one for one in api["refusals"] if one["name"] not in names]
    versions = []
    for row in api["versions"]:
        cells = {
            target: {**cell, "error_codes": [one for one in cell["error_codes"] if code_name(int(one)) not in names]}
            for target, cell in row["targets"].items()
        }
        versions.append({**row, "targets": cells})
    return {**api, "refusals": refusals, "versions": versions}


def _not_asked(api: Json, targets: Sequence[str]) -> Iterator[str]:
    for row in api["versions"]:
        for target in targets:
            cell = row["targets"][target]
            if cell["listed"] and not cell["exercised"]:
                yield f"{api['api']} v{row['version']}: listed, and not asked on {target}"


def _not_provoked(api: Json, targets: Sequence[str], unprovoked: Sequence[Unprovoked]) -> Iterator[str]:
    name = api["api"]
    for refusal in _of(api, Source.RECORDED):
        missing = [
            target
            for target in targets
            if not refusal["provoked"][target]
            and not any(one.covers(name, refusal["code"], target) for one in unprovoked)
        ]
        if missing:
            when = f" ({refusal['when']})" if refusal["when"] else ""
            yield f"{name} {refusal['name']}{when}: not provoked on {' and '.join(missing)}"


def _provoked_after_all(api: Json, targets: Sequence[str], unprovoked: Sequence[Unprovoked]) -> Iterator[str]:
    name = api["api"]
    for refusal in api["refusals"]:
        for target in targets:
            excuses = [one for one in unprovoked if one.covers(name, refusal["code"], target)]
            if refusal["provoked"][target] and excuses:
                yield f"{name} {refusal['name']}: provoked on {target}, and still listed as one that cannot be"


def _named_by_the_header_alone(api: Json) -> Iterator[str]:
    for refusal in _of(api, Source.HEADER):
        yield (
            f"{api['api']} {refusal['name']}: only the reference's header lists it; Kafka was not recorded to answer "
            f"it, and {UNPROVOKED_FILE} gives no reason"
        )


def _not_in_the_header(api: Json) -> Iterator[str]:
    for refusal in _of(api, Source.RECORDED):
        if not refusal["in_header"]:
            yield f"{api['api']} {refusal['name']}: Kafka answers it, and the reference's header does not list it"


def _not_recorded(api: Json) -> Iterator[str]:
    recorded = {refusal["code"] for refusal in _of(api, Source.RECORDED)}
    for code, targets in sorted(_seen(api).items()):
        if code not in recorded:
            who = " and ".join(sorted(targets))
            yield f"{api['api']} {code_name(code)}: answered by {who}, and Kafka was not recorded to answer it"


def _of(api: Json, source: Source) -> list[Json]:
    return [refusal for refusal in api["refusals"] if refusal["source"] == source]


def _seen(api: Json) -> dict[int, set[str]]:
    """Error code → the targets that answered it."""
    found: dict[int, set[str]] = {}
    for row in api["versions"]:
        for target, cell in row["targets"].items():
            for code in cell["error_codes"]:
                if code != "0":
                    found.setdefault(int(code), set()).add(target)
    return found


def _needless(account: Json, unprovoked: Sequence[Unprovoked]) -> list[str]:
    """A line for each excuse of an error code that is not expected for its API."""
    headers = {(api["api"], refusal["code"]) for api in account["apis"] for refusal in api["refusals"]}
    asked = {api["api"] for api in account["apis"]}
    return [
        f"{one.api} {one.code}: excused in unprovoked.toml, and the API's header does not list it"
        for one in unprovoked
        if one.api in asked and (one.api, one.code) not in headers
    ]
