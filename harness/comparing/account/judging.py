"""What the account of a run lacks: versions that were not asked, refusals that were not provoked. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.comparing.account.account import code_name
from harness.comparing.account.unprovoked import Unprovoked

Json = Mapping[str, Any]


def gaps(account: Json, unprovoked: Sequence[Unprovoked]) -> list[str]:
    """A line for each gap in what the reference serves.

    A listed version that was not asked on a target; an error code of an API's header that was not provoked on a target
    and is not excused; an excuse for what was provoked; an error code that was answered and the header does not list.
    Where only a sample was run, what was not asked or not provoked is no gap.
    """
    targets, is_whole = account["targets"], "sample" not in account
    found: list[str] = []
    for api in account["apis"]:
        if api["has_header"]:
            if is_whole:
                found += [*_not_asked(api, targets), *_not_provoked(api, targets, unprovoked)]
            found += [*_provoked_after_all(api, targets, unprovoked), *_not_listed(api)]
    return found + _needless(account, unprovoked)


def _not_asked(api: Json, targets: Sequence[str]) -> Iterator[str]:
    for row in api["versions"]:
        for target in targets:
            cell = row["targets"][target]
            if cell["listed"] and not cell["exercised"]:
                yield f"{api['api']} v{row['version']}: listed, and not asked on {target}"


def _not_provoked(api: Json, targets: Sequence[str], unprovoked: Sequence[Unprovoked]) -> Iterator[str]:
    name = api["api"]
    for refusal in api["refusals"]:
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


def _not_listed(api: Json) -> Iterator[str]:
    listed = {refusal["code"] for refusal in api["refusals"]}
    for code, name in sorted(_seen(api).items()):
        if code not in listed:
            yield f"{api['api']} {name}: answered, and the API's header does not list it"


def _seen(api: Json) -> dict[int, str]:
    """The error codes that were answered, with their names."""
    return {
        int(code): code_name(int(code))
        for row in api["versions"]
        for cell in row["targets"].values()
        for code in cell["error_codes"]
        if code != "0"
    }


def _needless(account: Json, unprovoked: Sequence[Unprovoked]) -> list[str]:
    """Excuses for codes that no header lists."""
    headers = {(api["api"], refusal["code"]) for api in account["apis"] for refusal in api["refusals"]}
    asked = {api["api"] for api in account["apis"]}
    return [
        f"{one.api} {one.code}: excused in unprovoked.toml, and the API's header does not list it"
        for one in unprovoked
        if one.api in asked and (one.api, one.code) not in headers
    ]
