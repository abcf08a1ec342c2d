"""DeleteGroups: empty groups go, and all their offsets with them.

**Promises** A group that the answer calls deleted has no offsets any more, also after a restart.
**Refuses** Per group: NON_EMPTY_GROUP; GROUP_ID_NOT_FOUND; NOT_COORDINATOR; COORDINATOR_LOAD_IN_PROGRESS;
COORDINATOR_NOT_AVAILABLE: not replicated in time.
**Versions** 2 flexible; 3 (Kafka 4.4) words for an error, which groups of consumers never have.
**Departs from Kafka** Groups are answered in the order of the request, where Kafka has none.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import BrokerContext
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.delete_groups_request import DeleteGroupsRequest
from reference_broker.wire.messages.delete_groups_response import DeletableGroupResult, DeleteGroupsResponse

API: Final = ApiKey.DELETE_GROUPS
VERSIONS: Final = range(4)
LISTENERS: Final = ("broker",)

REFUSAL_VALUES: Final = {"error_message": None}
"""Kafka gives no message for a refusal of the whole request."""


def handle(request: DeleteGroupsRequest, ctx: BrokerContext) -> Any:
    """Delete each group once, however often it is named."""

    def finish(results: list[DeletableGroupResult]) -> DeleteGroupsResponse:
        return DeleteGroupsResponse(results=tuple(results))

    return ctx.groups.delete_groups(tuple(dict.fromkeys(request.groups_names)), ctx, finish)
