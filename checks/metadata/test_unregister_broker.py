"""UnregisterBroker (key 64) takes a broker that is gone out of the metadata.

**Claim** A broker that is not registered cannot be taken out.
**Why it matters** A mistyped id must not remove a broker.
**Kafka says** Protocol guide, UnregisterBroker; KIP-500.
**Cannot see** A broker that is gone: the checks' clusters keep theirs.
**Rejects** tests/unit/harness/comparing/test_diff.py::test_a_wrong_error_code_is_a_difference
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import variants
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.unregister_broker_request import UnregisterBrokerRequest
from reference_broker.wire.primitives import BrokerId

pytestmark = pytest.mark.feature("UnregisterBroker")


@variants("broker", unknown=987654, negative=-1, largest=2147483647)
def test_an_unknown_broker_is_refused(exchange: Exchange, broker: int) -> None:
    """A broker that is not registered cannot be unregistered."""
    answer = exchange.ask(f"broker {broker}", UnregisterBrokerRequest(broker_id=BrokerId(broker)), 0)

    assert answer.error_code == ErrorCode.BROKER_ID_NOT_REGISTERED
