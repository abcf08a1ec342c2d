"""The refusal of any request of a served API can be sent; an API's own rule differs from the schemas'."""

from __future__ import annotations

from random import Random
from types import ModuleType
from typing import Any

import pytest

from reference_broker.apis.refusals import refuse
from reference_broker.apis.registry import handler_modules
from reference_broker.effects import HANG_UP
from reference_broker.wire.api_keys import APIS
from reference_broker.wire.codec import encode_bytes
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.refusal_response import refusal_response
from tests.unit.apis.random_messages import random_message

CODE, MESSAGE = ErrorCode.COORDINATOR_NOT_AVAILABLE, "why"


def cases(module: ModuleType) -> list[tuple[int, Any]]:
    """(version, request): several random requests for each version."""
    api = APIS[module.API]
    versions = [version for version in module.VERSIONS if api.has_version(version)]
    return [(version, random_message(Random(seed), api.request, version)) for version in versions for seed in range(20)]


@pytest.mark.parametrize("module", handler_modules(), ids=lambda one: one.__name__.rpartition(".")[2])
def test_the_refusal_of_any_request_can_be_sent(module: ModuleType) -> None:
    for version, request in cases(module):
        response = refuse(module, request, version, CODE, MESSAGE)

        assert response is HANG_UP or encode_bytes(response, version)


@pytest.mark.parametrize(
    "module",
    [one for one in handler_modules() if hasattr(one, "error_response") or hasattr(one, "REFUSAL_VALUES")],
    ids=lambda one: one.__name__.rpartition(".")[2],
)
def test_an_api_has_a_rule_of_its_own_only_where_it_answers_otherwise_than_the_schemas_say(module: ModuleType) -> None:
    assert any(
        refuse(module, request, version, CODE, MESSAGE) != refusal_response(request, version, CODE, MESSAGE)
        for version, request in cases(module)
    )
