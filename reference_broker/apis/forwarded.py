"""Requests that a broker passes on to the active controller, in the place of a handler of its own (KIP-590)."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

from reference_broker.apis.context import BrokerContext
from reference_broker.broker.forwarding import ClientRequest
from reference_broker.effects import HANG_UP
from reference_broker.security.principal import encode_principal
from reference_broker.waiting import Later
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.framing import encode_request

FORWARDABLE: Final = frozenset(
    {
        ApiKey.CREATE_TOPICS,
        ApiKey.DELETE_TOPICS,
        ApiKey.CREATE_ACLS,
        ApiKey.DELETE_ACLS,
        ApiKey.ALTER_CONFIGS,
        ApiKey.CREATE_PARTITIONS,
        ApiKey.CREATE_DELEGATION_TOKEN,
        ApiKey.RENEW_DELEGATION_TOKEN,
        ApiKey.EXPIRE_DELEGATION_TOKEN,
        ApiKey.ELECT_LEADERS,
        ApiKey.INCREMENTAL_ALTER_CONFIGS,
        ApiKey.ALTER_PARTITION_REASSIGNMENTS,
        ApiKey.LIST_PARTITION_REASSIGNMENTS,
        ApiKey.ALTER_CLIENT_QUOTAS,
        ApiKey.ALTER_USER_SCRAM_CREDENTIALS,
        ApiKey.DESCRIBE_QUORUM,
        ApiKey.UPDATE_FEATURES,
        ApiKey.UNREGISTER_BROKER,
        ApiKey.ALLOCATE_PRODUCER_IDS,
        ApiKey.ADD_RAFT_VOTER,
        ApiKey.REMOVE_RAFT_VOTER,
    }
)
"""What brokers pass on to the controller. Source: KIP-590, and the APIs that later proposals have added."""
SIZE_BYTES: Final = 4


class Forwarded:
    """A handler on a broker's listener; `module` is the API's file, which serves it on the controller's."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        """What the API's file says of itself: its versions, and how it refuses."""
        return getattr(self._module, name)

    def handle(self, request: Any, ctx: BrokerContext) -> Any:
        """Pass the request on; the answer comes with the controller's.

        `preprocess` of the API's file, if it has one, says what of a request this broker answers itself: it returns
        what is left for the controller, or None, and a function that makes the whole answer of the controller's.
        """
        preprocess = getattr(self._module, "preprocess", None)
        if preprocess is None:
            return self._forward(request, ctx)
        rest, whole = preprocess(request, ctx)
        if rest is None:
            return whole(None)
        later = Later()

        def on_answer(answer: Any) -> None:
            later.complete(answer if answer is HANG_UP or isinstance(answer, Exception) else whole(answer))

        self._forward(rest, ctx).then(on_answer)
        return later

    def _forward(self, request: Any, ctx: BrokerContext) -> Later:
        key = int(self._module.API)
        parts = encode_request(key, ctx.api_version, 0, ctx.client_id, request)
        frame = b"".join(bytes(part) for part in parts)  # type: ignore[arg-type]
        sent = ClientRequest(key, ctx.api_version, frame[SIZE_BYTES:], encode_principal(ctx.principal), ctx.client_host)
        return ctx.broker.forwarding.forward(sent, ctx.now)
