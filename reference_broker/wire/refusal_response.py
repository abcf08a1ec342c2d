"""The response that refuses a request, made from the schemas.

A response with an error code at its top carries the error there. Any other has it once for each topic, partition,
resource or group that the request names, whose names and ids are copied. An API that answers otherwise says so in its
file (`reference_broker.apis`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from reference_broker.wire.api_keys import APIS
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.schema import Field, is_in

NO_VALUES: Final[Mapping[str, Any]] = {}
CODE, MESSAGE = "error_code", "error_message"
IDENTITIES: Final = (
    ("name", "topic", "topic_name", "user"),
    ("topic_id",),
    ("partition", "partition_index", "partition_id", "index"),
    ("group_id",),
    ("transactional_id",),
    ("producer_id",),
    ("resource_type",),
    ("resource_name",),
    ("entity",),
    ("key",),
)
"""The fields by which the schemas identify what a request is about; those of one row mean the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """How a struct of the response is made from the struct, or the name or number, that it answers."""

    of: Any
    version: int
    code: str | None
    """The name of its error code; None where only structs within have one."""
    copied: tuple[tuple[str | None, Field], ...] = ()
    """Field of the request (None: the name or number itself) → field of the response."""
    arrays: tuple[tuple[str, str, _Shape], ...] = ()
    """(array of the request, array of the response, how its elements are made)."""


def refusal_response(
    request: Any,
    version: int,
    code: ErrorCode,
    message: str | None = None,
    values: Mapping[str, Any] = NO_VALUES,
    *,
    with_rows: bool = False,
) -> Any:
    """The response in which `code` refuses the whole request.

    `message` is given where the version has a place for it. `values` are set beside each error code, by the name of
    the field, where the schema's default would say something else. `with_rows` puts the error beside everything that
    the request names also where the response has one at its top. A response whose version has no place for an error
    comes back empty.
    """
    return _made(_shape(request.API_KEY, version, with_rows), request, {CODE: code, MESSAGE: message, **values})


def has_place_for_error(api_key: int, version: int) -> bool:
    """Whether a response of this version can carry the error of the whole request."""
    shape = _shape(api_key, version, False)
    return shape.code is not None or bool(shape.arrays)


def _made(shape: _Shape, asked: Any, told: Mapping[str, Any]) -> Any:
    values: dict[str, Any] = {}
    for name, field in shape.copied:
        _set(values, field, shape.version, asked if name is None else getattr(asked, name))
    if shape.code is not None:
        values[shape.code] = told[CODE]
        for field in shape.of.FIELDS:
            if field.name in told and field.name != CODE and is_in(shape.version, field.versions):
                _set(values, field, shape.version, told[field.name])
    for name, answer, element in shape.arrays:
        rows = values.get(answer, ())
        values[answer] = (*rows, *(_made(element, one, told) for one in getattr(asked, name) or ()))
    return shape.of(**values)


def _set(values: dict[str, Any], field: Field, version: int, value: Any) -> None:
    """Set a field; null is left out where the version has no null for it."""
    if value is None and not is_in(version, field.nullable):
        return
    if field.of is None:
        values[field.name] = value
    else:
        values[field.name] = tuple(_as(field.of, one) for one in value) if field.is_array else _as(field.of, value)


def _as(cls: Any, value: Any) -> Any:
    """A struct of the request as the response's struct of the same fields."""
    return cls(**{field.name: getattr(value, field.name) for field in cls.FIELDS if hasattr(value, field.name)})


# -- which field answers which --------------------------------------------------------------------------------------


@cache
def _shape(api_key: int, version: int, with_rows: bool) -> _Shape:
    request, response = APIS[api_key].request, APIS[api_key].response
    code = _code_of(response, version)
    arrays = _arrays(request, response, version) if code is None or with_rows else ()
    return _Shape(of=response, version=version, code=code, arrays=tuple(arrays))


def _arrays(asked: Any, answered: Any, version: int) -> Iterator[tuple[str, str, _Shape]]:
    """The arrays that tell of errors, each with the array of the request that it answers."""
    for answer in _fields(answered, version):
        if not answer.is_array or answer.of is None:
            continue
        for field in _fields(asked, version):
            if field.is_array and (shape := _element(field, answer.of, version)) is not None:
                yield field.name, answer.name, shape


def _element(asked: Field, answered: Any, version: int) -> _Shape | None:
    """How a struct answers an element of an array; None where it does not, or can tell of no error."""
    code = _code_of(answered, version)
    if asked.of is None:
        fields = [one for one in _fields(answered, version) if any(one.name in names for names in IDENTITIES)]
        identity = next((one for one in fields if one.kind == asked.kind), None)
        if code is None or identity is None:
            return None
        return _Shape(of=answered, version=version, code=code, copied=((None, identity),))
    copied = tuple(_identities(asked.of, answered, version))
    arrays = () if code is not None else tuple(_arrays(asked.of, answered, version))
    is_nameless = all(field.is_array or field.name in (CODE, MESSAGE) for field in _fields(answered, version))
    if (code is None and not arrays) or not (copied or is_nameless):
        return None
    return _Shape(of=answered, version=version, code=code, copied=copied, arrays=arrays)


def _identities(asked: Any, answered: Any, version: int) -> Iterator[tuple[str, Field]]:
    """Field of the request → field of the response that identifies the same."""
    for names in IDENTITIES:
        froms = [field for field in _fields(asked, version) if field.name in names]
        tos = [field for field in _fields(answered, version) if field.name in names]
        if froms and tos and froms[0].kind == tos[0].kind:
            yield froms[0].name, tos[0]


def _code_of(cls: Any, version: int) -> str | None:
    names = [field.name for field in _fields(cls, version)]
    others = [name for name in names if name.endswith("_error_code")]
    return CODE if CODE in names else others[0] if len(others) == 1 else None


def _fields(cls: Any, version: int) -> list[Field]:
    return [field for field in cls.FIELDS if is_in(version, field.versions)]
