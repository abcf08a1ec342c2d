"""What AlterConfigs and IncrementalAlterConfigs have in common: each resource of a request is answered by itself, some
by the broker that got the request and the others by the controller (KAFKA-13609)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from reference_broker.controller.config_admin import Outcome
from reference_broker.controller.decision import Decision, Refusal
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.metadata_records import VersionedRecord

TWICE: Final = Refusal(ErrorCode.INVALID_REQUEST, "Each resource must appear at most once.")


def preprocess(
    request: Any, refusal_of: Callable[[Any], Refusal | None], response: type[Any], row: type[Any]
) -> tuple[Any, Callable[[Any], Any]]:
    """(the request for the controller, None where nothing is left; what makes the whole answer of the controller's).

    `refusal_of` says what this broker refuses of a resource; a response has a row for each.
    """
    counts = _counts(request)
    refusals = [TWICE if counts[_key(one)] > 1 else refusal_of(one) for one in request.resources]
    both = list(zip(request.resources, refusals, strict=True))
    left = tuple(one for one, refusal in both if refusal is None)

    def whole(answer: Any) -> Any:
        rows = iter(() if answer is None else answer.responses)
        return response(
            responses=tuple(next(rows) if refusal is None else _row(row, one, refusal) for one, refusal in both)
        )

    return (replace(request, resources=left) if left else None), whole


def decide(request: Any, change: Callable[[Any], Outcome], response: type[Any], row: type[Any]) -> Decision:
    """What the controller writes, and its answer; `change` gives the records of a resource, or the refusal."""
    counts = _counts(request)
    records: list[VersionedRecord] = []
    rows = []
    for resource in request.resources:
        made, refusal = change(resource) if counts[_key(resource)] == 1 else ((), TWICE)
        records += made
        rows.append(_row(row, resource, refusal))
    answer = response(responses=tuple(rows))
    return Decision.of_a_client(records, answer, validate_only=request.validate_only)


def _counts(request: Any) -> Counter[tuple[int, str]]:
    return Counter(_key(one) for one in request.resources)


def _key(resource: Any) -> tuple[int, str]:
    return resource.resource_type, resource.resource_name


def _row(row: type[Any], resource: Any, refusal: Refusal | None) -> Any:
    return row(
        error_code=ErrorCode.NONE if refusal is None else refusal.code,
        error_message=None if refusal is None else refusal.text,
        resource_type=resource.resource_type,
        resource_name=resource.resource_name,
    )
