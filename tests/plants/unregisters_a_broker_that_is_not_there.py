"""Takes out a broker that was never there, and says that it is done.

**Bug** UnregisterBroker does not look whether the broker is registered: an operator who mistypes an id believes that
the broker is out.

**Rejected by**
`checks/metadata/test_unregister_broker.py`: BROKER_ID_NOT_REGISTERED
"""

from __future__ import annotations

from typing import Any

from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.unregister_broker_response import UnregisterBrokerResponse
from reference_broker.wire.refusal import KafkaError
from tests.plants.differences._answers import handle_otherwise


def plant() -> None:
    """Puts it in."""

    def content(request: Any, ctx: Any, usual: Any) -> Any:
        try:
            return usual(request, ctx)
        except KafkaError as error:
            if error.code is not ErrorCode.BROKER_ID_NOT_REGISTERED:
                raise
            return UnregisterBrokerResponse(error_message="")

    handle_otherwise("unregister_broker", content)
