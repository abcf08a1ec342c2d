"""A process among others: brokers pass requests on to it, and it can be cut off from them while it runs."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest
from broker_process import TIMEOUT_S, Broker

from harness.clients.connection import RawConnection
from harness.hosts.host import wait_until
from reference_broker.security.principal import ANONYMOUS, encode_principal
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.framing import decode_response, encode_request
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.envelope_request import EnvelopeRequest
from reference_broker.wire.messages.metadata_request import MetadataRequest
from reference_broker.wire.primitives import TopicName

TOPIC = CreatableTopic(name=TopicName("passed-on"), num_partitions=1, replication_factor=1)

SILENCE_S = 0.5
"""How long no answer must come for a link to be taken for cut."""


def frame(key: ApiKey, version: int, client_id: str, message: object) -> bytes:
    return b"".join(encode_request(key, version, 5, client_id, message))  # type: ignore[arg-type]


def is_answered(port: int, client_id: str, within_s: float = TIMEOUT_S) -> bool:
    """Whether whoever comes with this client id gets an answer in time."""
    with socket.create_connection(("127.0.0.1", port), 5) as client:
        client.settimeout(within_s)
        client.sendall(frame(ApiKey.API_VERSIONS, 3, client_id, ApiVersionsRequest(client_software_name="t")))
        try:
            return bool(client.recv(4))
        except TimeoutError:
            return False


def set_rules(broker: Broker, rules: Path, text: str) -> None:
    """Write the rules, tell the process, and wait until they hold."""
    assert broker.process is not None
    applied = rules.with_name(rules.name + ".applied")
    rules.write_text(text)
    os.kill(broker.process.pid, signal.SIGUSR1)
    wait_until(lambda: applied.exists() and applied.read_text() == text, TIMEOUT_S, "not applied", every_s=0.02)


def test_a_request_that_a_broker_passes_on_is_served_by_the_controller(broker: Broker) -> None:
    broker.start()
    request = frame(ApiKey.CREATE_TOPICS, 7, "admin", CreateTopicsRequest(topics=(TOPIC,), timeout_ms=5000))
    envelope = EnvelopeRequest(
        request_data=request[4:],
        request_principal=encode_principal(ANONYMOUS),
        client_host_address=bytes([127, 0, 0, 1]),
    )
    with RawConnection("127.0.0.1", broker.controller_port) as controller:
        answer = controller.request(ApiKey.ENVELOPE, 0, envelope)
    correlation_id, response = decode_response(ApiKey.CREATE_TOPICS, 7, answer.response_data)
    with RawConnection("127.0.0.1", broker.port) as client:
        topics = client.request(ApiKey.METADATA, 12, MetadataRequest(topics=None)).topics

    assert (correlation_id, response.topics[0].error_code) == (5, ErrorCode.NONE)
    assert [one.name for one in topics or ()] == ["passed-on"]


@pytest.mark.parametrize("client_id", ["raft-client-2", "broker-2-fetcher-0", "2"])
def test_a_node_is_cut_off_while_the_process_runs(broker: Broker, tmp_path: Path, client_id: str) -> None:
    rules = tmp_path / "links"
    broker.start("--link-filter", str(rules))
    assert is_answered(broker.controller_port, client_id)

    set_rules(broker, rules, "drop from 2\n")

    assert not is_answered(broker.controller_port, client_id, SILENCE_S)
    assert is_answered(broker.controller_port, "an-admin-client")


def test_a_healed_node_is_answered_again(broker: Broker, tmp_path: Path) -> None:
    rules = tmp_path / "links"
    rules.write_text("drop from 2\n")
    broker.start("--link-filter", str(rules))
    assert not is_answered(broker.controller_port, "raft-client-2", SILENCE_S)

    set_rules(broker, rules, "")

    assert is_answered(broker.controller_port, "raft-client-2")
