"""BrokerRegistration: a broker that starts joins the cluster, fenced, under an epoch of its own (KIP-631).

**Promises** The answered epoch is newer than every earlier one of that broker id; the same incarnation that asks again
keeps its epoch. What an earlier incarnation led is led by others, and after a stop that was not clean the broker is
trusted no longer to have what it had (KIP-966).
**Refuses** INCONSISTENT_CLUSTER_ID: the broker belongs to another cluster; DUPLICATE_BROKER_REGISTRATION: another
incarnation's session lives; INVALID_REGISTRATION: no folders, reserved or double ids of folders, another broker's
folder, or no metadata.version; UNSUPPORTED_VERSION: a finalized feature level is out of the broker's range;
BROKER_ID_NOT_REGISTERED: the broker says that it migrates from ZooKeeper.
**Versions** 1 ZooKeeper brokers; 2 folders (KIP-858); 3 the epoch of the last clean stop; 4 ranges of features that
begin with 0.
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import ControllerContext
from reference_broker.controller.registration import decide_registration
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.broker_registration_request import BrokerRegistrationRequest

API: Final = ApiKey.BROKER_REGISTRATION
VERSIONS: Final = range(5)
LISTENERS: Final = ("controller",)


def handle(request: BrokerRegistrationRequest, ctx: ControllerContext) -> Any:
    """Decide and commit."""
    controller = ctx.controller
    return controller.submit(
        lambda image: decide_registration(
            image,
            ctx.config,
            request,
            version=ctx.api_version,
            kraft_version=controller.log.kraft_version,
            sessions=controller.sessions,
            next_offset=controller.log.end_offset,
            now=ctx.now,
        ),
        ctx.now,
    )
