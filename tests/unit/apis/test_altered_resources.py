"""A request that alters several resources is answered row by row, some here and some by the controller."""

from __future__ import annotations

from reference_broker.apis.altered_resources import Alteration
from reference_broker.controller.decision import Refusal
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from reference_broker.wire.messages.incremental_alter_configs_response import (
    AlterConfigsResourceResponse,
    IncrementalAlterConfigsResponse,
)

TOPIC, BROKER = 2, 4
ALTERATION = Alteration(IncrementalAlterConfigsResponse, AlterConfigsResourceResponse, is_replacement=False)


def request(*resources: tuple[int, str]) -> IncrementalAlterConfigsRequest:
    return IncrementalAlterConfigsRequest(
        resources=tuple(AlterConfigsResource(resource_type=kind, resource_name=name) for kind, name in resources),
        validate_only=True,
    )


def refuse_brokers(resource: AlterConfigsResource) -> Refusal | None:
    return Refusal(ErrorCode.INVALID_REQUEST, "no") if resource.resource_type == BROKER else None


def rows(response: IncrementalAlterConfigsResponse) -> list[tuple[str, int]]:
    return [(one.resource_name, one.error_code) for one in response.responses]


def answer(*names: str) -> IncrementalAlterConfigsResponse:
    return IncrementalAlterConfigsResponse(
        responses=tuple(AlterConfigsResourceResponse(resource_type=TOPIC, resource_name=name) for name in names)
    )


def test_the_controller_gets_what_is_not_refused_here() -> None:
    asked = request((TOPIC, "a"), (BROKER, "2"), (TOPIC, "b"))
    left, whole = ALTERATION.divided(asked, refuse_brokers)
    assert [one.resource_name for one in left.resources] == ["a", "b"]
    assert left.validate_only
    assert rows(whole(answer("a", "b"))) == [("a", 0), ("2", ErrorCode.INVALID_REQUEST), ("b", 0)]


def test_nothing_goes_to_the_controller_where_all_is_refused() -> None:
    left, whole = ALTERATION.divided(request((BROKER, "2")), refuse_brokers)
    assert left is None
    assert rows(whole(None)) == [("2", ErrorCode.INVALID_REQUEST)]


def test_a_resource_that_is_named_twice_is_refused_twice() -> None:
    asked = request((TOPIC, "a"), (TOPIC, "a"), (TOPIC, "b"))
    left, whole = ALTERATION.divided(asked, refuse_brokers)
    assert [one.resource_name for one in left.resources] == ["b"]
    assert rows(whole(answer("b"))) == [("a", ErrorCode.INVALID_REQUEST)] * 2 + [("b", 0)]
