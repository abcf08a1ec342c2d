"""ListGroups: the groups that this broker coordinates.

**Promises** Every group of the partitions of `__consumer_offsets` that are led here, with state and type, as it is
committed.
**Refuses** COORDINATOR_LOAD_IN_PROGRESS: one of these partitions is not loaded yet.
**Versions** 4 state, and a filter by it (KIP-518); 5 type, and a filter by it (KIP-848). Filters ignore case.
**Departs from Kafka** There are no groups of other types than classic.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import BrokerContext
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.list_groups_request import ListGroupsRequest
from reference_broker.wire.messages.list_groups_response import ListedGroup, ListGroupsResponse

API: Final = ApiKey.LIST_GROUPS
VERSIONS: Final = range(6)
LISTENERS: Final = ("broker",)


def handle(request: ListGroupsRequest, ctx: BrokerContext) -> Any:
    """List what the filters let through."""

    def finish(groups: list[ListedGroup]) -> ListGroupsResponse:
        return ListGroupsResponse(groups=tuple(groups))

    return ctx.groups.list_groups(request.states_filter, request.types_filter, ctx, finish)
