"""DescribeGroups: state, protocol and members of classic groups.

**Promises** One answer for each id. Members' metadata and the protocol's name are told only while the group is stable.
**Refuses** Per group: GROUP_ID_NOT_FOUND, with a message, from version 6 on (before, an unknown group is Dead without
an error); NOT_COORDINATOR: another broker coordinates the group; COORDINATOR_LOAD_IN_PROGRESS.
**Versions** 3 authorized operations; 4 group.instance.id; 6 an unknown group is an error (KIP-1043).
**Departs from Kafka** Groups are answered in the order of the request, where Kafka has none.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from reference_broker.apis.context import BrokerContext
from reference_broker.apis.operations import GROUP_OPERATIONS
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_groups_request import DescribeGroupsRequest
from reference_broker.wire.messages.describe_groups_response import DescribedGroup, DescribeGroupsResponse

API: Final = ApiKey.DESCRIBE_GROUPS
VERSIONS: Final = range(7)
LISTENERS: Final = ("broker",)

REFUSAL_VALUES: Final = {"error_message": None}
"""Kafka gives no message for a refusal of the whole request."""

OPERATIONS_SINCE: Final = 3


def handle(request: DescribeGroupsRequest, ctx: BrokerContext) -> Any:
    """Describe each group that is coordinated here."""
    with_operations = ctx.api_version >= OPERATIONS_SINCE and request.include_authorized_operations

    def finish(groups: list[DescribedGroup]) -> DescribeGroupsResponse:
        if with_operations:
            groups = [
                replace(one, authorized_operations=GROUP_OPERATIONS) if one.error_code == ErrorCode.NONE else one
                for one in groups
            ]
        return DescribeGroupsResponse(groups=tuple(groups))

    return ctx.groups.describe_groups(request.groups, ctx, finish)
