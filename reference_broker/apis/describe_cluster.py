"""DescribeCluster: the cluster's id, its nodes and its controller (KIP-700, KIP-919).

**Promises** On a broker's listener the brokers that listen there, on a controller's the controllers; fenced brokers
only where asked for.
**Refuses** MISMATCHED_ENDPOINT_TYPE: brokers asked of a controller or the other way; UNSUPPORTED_ENDPOINT_TYPE: neither
of the two. Version 0 says INVALID_REQUEST for both.
**Versions** 1 endpoint type; 2 fenced brokers.
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from typing import Final

from reference_broker.apis.context import Context
from reference_broker.apis.operations import CLUSTER_OPERATIONS, NOT_ASKED
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_cluster_request import DescribeClusterRequest
from reference_broker.wire.messages.describe_cluster_response import DescribeClusterBroker, DescribeClusterResponse
from reference_broker.wire.primitives import BrokerId

API: Final = ApiKey.DESCRIBE_CLUSTER
VERSIONS: Final = range(3)
LISTENERS: Final = ("broker", "controller")

BROKERS: Final = 1
CONTROLLERS: Final = 2
ENDPOINT_NAMES: Final = {BROKERS: "BROKER", CONTROLLERS: "CONTROLLER"}


def handle(request: DescribeClusterRequest, ctx: Context) -> DescribeClusterResponse:
    """Answer for the kind of node that the listener belongs to."""
    served = CONTROLLERS if ctx.listener in ctx.settings.static.controller_listeners else BROKERS
    asked = request.endpoint_type
    if asked not in ENDPOINT_NAMES:
        code = ErrorCode.UNSUPPORTED_ENDPOINT_TYPE if ctx.api_version else ErrorCode.INVALID_REQUEST
        return DescribeClusterResponse(error_code=code, error_message=f"Unsupported endpoint type {asked}")
    if asked != served:
        code = ErrorCode.MISMATCHED_ENDPOINT_TYPE if ctx.api_version else ErrorCode.INVALID_REQUEST
        text = (
            f"The request was sent to an endpoint of type {ENDPOINT_NAMES[served]}, but we wanted an endpoint of type "
            f"{ENDPOINT_NAMES[asked]}"
        )
        return DescribeClusterResponse(error_code=code, error_message=text)
    nodes = _controllers(ctx) if served == CONTROLLERS else _brokers(ctx, with_fenced=request.include_fenced_brokers)
    leaders = [ctx.node_id] if served == CONTROLLERS else [broker.id for broker in ctx.image.cluster.alive()]
    leader = leaders[ctx.random.randrange(0, len(leaders))] if leaders else -1
    return DescribeClusterResponse(
        endpoint_type=served,
        cluster_id=ctx.image.cluster_id,
        controller_id=BrokerId(leader if leader in [node.broker_id for node in nodes] else -1),
        brokers=nodes,
        cluster_authorized_operations=CLUSTER_OPERATIONS
        if request.include_cluster_authorized_operations
        else NOT_ASKED,
    )


def _brokers(ctx: Context, *, with_fenced: bool) -> tuple[DescribeClusterBroker, ...]:
    nodes = []
    for _, broker in sorted(ctx.image.brokers.items()):
        endpoint = broker.endpoint(ctx.listener)
        if endpoint is not None and (with_fenced or not broker.is_fenced):
            host, port = endpoint
            nodes.append(
                DescribeClusterBroker(
                    broker_id=BrokerId(broker.id), host=host, port=port, rack=broker.rack, is_fenced=broker.is_fenced
                )
            )
    return tuple(nodes)


def _controllers(ctx: Context) -> tuple[DescribeClusterBroker, ...]:
    return tuple(
        DescribeClusterBroker(broker_id=BrokerId(node_id), host=endpoint.host, port=endpoint.port)
        for node_id, controller in sorted(ctx.image.cluster.controllers.items())
        for endpoint in controller.end_points
        if endpoint.name == ctx.listener
    )
