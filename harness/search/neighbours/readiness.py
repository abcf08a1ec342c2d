"""Waits until a cluster's coordinators are available. A new cluster creates each at the first request for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

from harness.clients.client import ClientTrouble
from harness.clients.connection import RawConnection
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest
from reference_broker.wire.messages.init_producer_id_request import InitProducerIdRequest
from reference_broker.wire.primitives import TransactionalId, Uuid, uuid_text

LOADED_WITHIN_S: Final = 30.0
IDS_TRIED: Final = 16
"""Number of ids to try; enough to have one on every partition of __transaction_state."""
TRANSACTION: Final = 1
SHARE: Final = 2
"""Key types of FindCoordinator."""


def await_coordinators(bootstrap: str) -> None:
    """Waits until the transaction coordinators and, if supported, the share coordinators are loaded. ClientTrouble
    after 30 s."""
    deadline = time.monotonic() + LOADED_WITHIN_S
    with RawConnection.to(bootstrap) as connection:
        for key, version, message in _asked_of_coordinators(connection):
            while True:
                answer = connection.request(key, version, message)
                if not any(one.error_code for one in getattr(answer, "coordinators", (answer,))):
                    break
                if time.monotonic() > deadline:
                    raise ClientTrouble(f"{bootstrap}: a group still has no coordinator after {LOADED_WITHIN_S:.0f} s")
                time.sleep(0.05)


def _asked_of_coordinators(connection: RawConnection) -> Iterator[tuple[int, int, Any]]:
    """(API key, version, message) of requests that succeed once all coordinators are available."""
    newest = connection.listed(ApiKey.FIND_COORDINATOR)[1]
    has_share_groups = connection.listed(ApiKey.SHARE_FETCH)[1] >= 0
    for number in range(IDS_TRIED):
        name = TransactionalId(f"ready-{number}")
        yield ApiKey.FIND_COORDINATOR, 4, FindCoordinatorRequest(key_type=TRANSACTION, coordinator_keys=(name,))
        producer = InitProducerIdRequest(transactional_id=name, transaction_timeout_ms=60_000)
        yield ApiKey.INIT_PRODUCER_ID, 4, producer
        if has_share_groups:
            state = f"ready:{uuid_text(Uuid(bytes([1] * 15 + [number])))}:0"
            yield ApiKey.FIND_COORDINATOR, newest, FindCoordinatorRequest(key_type=SHARE, coordinator_keys=(state,))
