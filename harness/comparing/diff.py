"""Compares two targets' observations in a check, field by field. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reference_broker.wire.api_keys import APIS
from reference_broker.wire.errors import ErrorCode

if TYPE_CHECKING:
    from harness.comparing.observation import Observation, Plain

SHOWN: Final = 200
"""Values are shown up to this number of characters."""


class _Missing:
    def __repr__(self) -> str:
        return "(missing)"


MISSING: Final = _Missing()
"""Stands for the value of a field that one side does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A difference between two targets in one field."""

    check: str
    """Id of the check."""
    api: str
    version: int
    field: str
    """Path in the response, like "groups[0].error_code"; "(outcome)" and "(pace)" concern the whole exchange."""
    values: Mapping[str, str]
    """Target → its value, in readable form."""
    request: str
    """The request, in words."""

    def data(self) -> dict[str, Any]:
        """As JSON data, with the keys of stored runs."""
        return {
            "check": self.check,
            "api": self.api,
            "version": self.version,
            "field": self.field,
            "values": dict(self.values),
            "exchange": self.request,
        }


def compare(
    check: str, first: tuple[str, Sequence[Observation]], second: tuple[str, Sequence[Observation]]
) -> list[Difference]:
    """The differences between two targets, each given as (name, observations in the order of the check).

    Different numbers of observations are a difference, too.
    """
    (name, mine), (other_name, theirs) = first, second
    found = [
        Difference(
            check=check,
            api=one.api,
            version=one.version,
            field=path,
            values={name: readable(path, left), other_name: readable(path, right)},
            request=one.request,
        )
        for one, other in zip(mine, theirs, strict=False)
        for path, left, right in differing(one, other)
    ]
    if len(mine) != len(theirs):
        found.append(
            Difference(
                check=check,
                api="",
                version=-1,
                field="(observations)",
                values={name: f"{len(mine)} of them", other_name: f"{len(theirs)} of them"},
                request="all that the check observed",
            )
        )
    return found


def differing(one: Observation, other: Observation) -> Iterator[tuple[str, Any, Any]]:
    """(path, left, right) of each field in which two observations of the same request differ."""
    if (one.api, one.version, one.request) != (other.api, other.version, other.request):
        yield "(request)", f"{one.api} v{one.version}: {one.request}", f"{other.api} v{other.version}: {other.request}"
        return
    if one.outcome is not other.outcome:
        yield "(outcome)", one.outcome.value, other.outcome.value
        return
    yield from unequal("", one.compared(), other.compared())


def unequal(path: str, left: Plain | _Missing, right: Plain | _Missing) -> Iterator[tuple[str, Any, Any]]:
    """(path, left, right) of every leaf that differs. Arrays are compared by position, or by name if their elements
    have unique names that do not match in order."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in [*left, *(key for key in right if key not in left)]:
            yield from unequal(_joined(path, key), left.get(key, MISSING), right.get(key, MISSING))
    elif _is_array(left) and _is_array(right):
        yield from _unequal_arrays(path, left, right)
    elif type(left) is not type(right) or left != right:
        yield path, left, right


def _unequal_arrays(path: str, left: Any, right: Any) -> Iterator[tuple[str, Any, Any]]:
    mine, theirs = _by_key(left), _by_key(right)
    if mine is None or theirs is None or list(mine) == list(theirs):
        for index in range(max(len(left), len(right))):
            one = left[index] if index < len(left) else MISSING
            other = right[index] if index < len(right) else MISSING
            yield from unequal(f"{path}[{index}]", one, other)
        return
    # Elements with unique names: report which are missing or moved, instead of a difference in every position.
    for key in [*mine, *(key for key in theirs if key not in mine)]:
        yield from unequal(f"{path}[{key}]", mine.get(key, MISSING), theirs.get(key, MISSING))
    common = [key for key in mine if key in theirs]
    if common != [key for key in theirs if key in mine]:
        yield f"{path}.(order)", ", ".join(mine), ", ".join(theirs)


def _by_key(elements: Sequence[Any]) -> dict[str, Any] | None:
    """The elements by their `name` or `api_key`, if all have one and they are unique; else None."""
    found: dict[str, Any] = {}
    for one in elements:
        if isinstance(one, Mapping):
            if isinstance(one.get("name"), str):
                found[one["name"]] = one
            elif isinstance(one.get("api_key"), int):
                found[_api_name(one["api_key"])] = one
    return found if len(found) == len(elements) else None


def _api_name(key: int) -> str:
    return APIS[key].name if key in APIS else f"key {key}"


def _is_array(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path and key else path or key


def readable(path: str, value: Any) -> str:
    """A value in readable form: error codes with their names, strings in quotes, long values cut."""
    if path.endswith("error_code") and isinstance(value, int):
        try:
            return f"{value} {ErrorCode(value).name}"
        except ValueError:
            return f"{value} (unknown code)"
    text = f'"{value}"' if isinstance(value, str) else "null" if value is None else repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text):,} characters)"
