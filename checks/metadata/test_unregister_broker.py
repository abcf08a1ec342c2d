"""UnregisterBroker (key 64) removes a broker from the metadata.

**Claim** A request for a broker that is not registered is refused, and every registered broker stays.
**Why it matters** A mistyped id must not remove a broker.
**Kafka says** Protocol guide, UnregisterBroker; KIP-500.
**Cannot see** Unregistering a broker that is down: the checks' clusters keep their brokers. A running one:
metadata/unregistered_brokers.
**Rejects** tests/plants/unregisters_a_broker_that_is_not_there.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import variants
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.metadata_request import MetadataRequest
from reference_broker.wire.messages.unregister_broker_request import UnregisterBrokerRequest
from reference_broker.wire.primitives import BrokerId

pytestmark = [
    pytest.mark.feature("UnregisterBroker"),
    pytest.mark.kip(500),
    pytest.mark.document(
        "Protocol guide, UnregisterBroker", "https://kafka.apache.org/protocol.html#The_Messages_UnregisterBroker"
    ),
]


@variants("broker", unknown=987654, negative=-1, largest=2147483647)
def test_an_unknown_broker_is_refused(exchange: Exchange, broker: int) -> None:
    """A request for a broker that is not registered is refused, and the registered brokers stay."""
    before = brokers(exchange)
    answer = exchange.ask(f"broker {broker}", UnregisterBrokerRequest(broker_id=BrokerId(broker)), 0)

    assert answer.error_code == ErrorCode.BROKER_ID_NOT_REGISTERED
    require(brokers(exchange), before, "the list of brokers")


def brokers(exchange: Exchange) -> list[int]:
    """The ids of the brokers in Metadata."""
    found = exchange.quietly(MetadataRequest(topics=(), allow_auto_topic_creation=False)).brokers
    return sorted(one.node_id for one in found)
