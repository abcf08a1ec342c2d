"""AlterPartition: the leader of partitions asks for other ISRs (KIP-497).

**Promises** An ISR is changed only as of the epochs that the leader names, and holds only brokers that are alive, stay,
and are the ones that the leader has seen. The answer tells the partition as it is from now on.
**Refuses** STALE_BROKER_EPOCH: the sender is not the registered broker. Per partition: UNKNOWN_TOPIC_ID,
UNKNOWN_TOPIC_OR_PARTITION, NOT_CONTROLLER: the leader knows newer epochs than this controller, FENCED_LEADER_EPOCH: the
leader epoch is older, INVALID_REQUEST: the sender does not lead, or the ISR lacks it or holds others than replicas, or
recovery goes backwards, INVALID_UPDATE_VERSION: the partition epoch is older, INELIGIBLE_REPLICA: a broker in the ISR
may not be there, NEW_LEADER_ELECTED: the change ended a reassignment, and another leads.
**Versions** 3 broker epochs of the ISR (KIP-903).
**Departs from Kafka** An unknown leader recovery state is INVALID_REQUEST; Kafka fails with UNKNOWN_SERVER_ERROR.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import ControllerContext
from reference_broker.controller.alter_partition import decide_isr_changes
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.alter_partition_request import AlterPartitionRequest

API: Final = ApiKey.ALTER_PARTITION
VERSIONS: Final = range(2, 4)
LISTENERS: Final = ("controller",)


def handle(request: AlterPartitionRequest, ctx: ControllerContext) -> Any:
    """Decide and commit."""
    return ctx.controller.submit(
        lambda image: decide_isr_changes(image, ctx.config, request, version=ctx.api_version), ctx.now
    )
