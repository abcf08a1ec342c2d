"""Strategies for messages of any API and version, from the schema: usual and odd values, nulls, unknown tags."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from hypothesis import strategies as st

from harness.search.sequences.any_request import ODD_TEXTS, RANGES
from harness.search.sequences.writing import BORDERS
from reference_broker.wire.api_keys import APIS
from reference_broker.wire.schema import Field, is_in

UNKNOWN_TAGS: Final = st.integers(5_000, 2**31)
LONGEST: Final = 3
"""Most elements in an array."""


@cache
def _scalars(kind: str) -> st.SearchStrategy[Any]:
    if kind in RANGES:
        low, high = RANGES[kind]
        fitting = [number for number in (*BORDERS, low, high) if low <= number <= high]
        return st.sampled_from(fitting) | st.integers(low, high)
    others: dict[str, st.SearchStrategy[Any]] = {
        "bool": st.booleans(),
        "float64": st.floats(allow_nan=False),
        "uuid": st.just(bytes(16)) | st.binary(min_size=16, max_size=16),
        "string": st.sampled_from(ODD_TEXTS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        "bytes": st.binary(max_size=60),
        "records": st.binary(max_size=120),
    }
    return others[kind]


@cache
def _values(field: Field, version: int) -> st.SearchStrategy[Any]:
    one = messages(field.of, version) if field.kind == "struct" else _scalars(field.kind)
    values = st.lists(one, max_size=LONGEST).map(tuple) if field.is_array else one
    return st.none() | values if is_in(version, field.nullable) else values


@cache
def messages(cls: Any, version: int) -> st.SearchStrategy[Any]:
    """Messages of a class that this version can encode."""
    fields = {field.name: _values(field, version) for field in cls.FIELDS if is_in(version, field.versions)}
    if is_in(version, cls.FLEXIBLE):
        tags = st.dictionaries(UNKNOWN_TAGS, st.binary(max_size=20), max_size=2)
        fields["unknown_tagged_fields"] = tags.map(lambda found: tuple(sorted(found.items())))
    return st.builds(cls, **fields)


@st.composite
def requests(draw: st.DrawFn) -> tuple[int, int, Any]:
    """(API key, version, message) of any request."""
    key = draw(st.sampled_from(sorted(APIS)))
    low, high = APIS[key].valid
    version = draw(st.integers(low, high))
    return key, version, draw(messages(APIS[key].request, version))


@st.composite
def responses(draw: st.DrawFn) -> tuple[int, int, Any]:
    """(API key, version, message) of any response."""
    key = draw(st.sampled_from(sorted(APIS)))
    low, high = APIS[key].valid
    version = draw(st.integers(low, high))
    return key, version, draw(messages(APIS[key].response, version))
