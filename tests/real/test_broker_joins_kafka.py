"""A broker's life of ours, lived with the controller of Apache Kafka 4.3.1 over real sockets."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "server"))

from machines import Machine

from reference_broker.broker.broker import Broker
from reference_broker.broker.forwarding import ClientRequest
from reference_broker.broker.registration import registration_request
from reference_broker.broker.states import BrokerState
from reference_broker.effects import Outbox, Peer, Send
from reference_broker.environment import Now
from reference_broker.security.principal import ANONYMOUS, encode_principal
from reference_broker.server.clock import now
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.framing import encode_request
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.primitives import TopicName, Uuid
from reference_broker.wire.refusal import KafkaError

pytestmark = pytest.mark.long

CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg"
SETTINGS = """
process.roles=broker
node.id=7
listeners=PLAINTEXT://127.0.0.1:19192
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:{port}
"""
SESSION_MS = 4000
AHEAD = 1 << 40
"""An offset of the metadata that no controller is ahead of: this broker has none to catch up with."""


class Joined:
    """Broker 7, without logs and metadata of its own. `told` are the errors of its registrations, and what it heard."""

    def __init__(self, controller_port: int) -> None:
        config = BrokerConfig.load(SETTINGS.format(port=controller_port))
        self.outbox = Outbox()
        self.machine = Machine(7, settle=lambda token, outcome: self.outbox.settle(token, outcome, now()))
        self.folder = Uuid(os.urandom(16))
        self.told: list[str] = []
        self.broker = Broker(
            config=config,
            registration=registration_request(
                config,
                bound={"PLAINTEXT": 19192},
                cluster_id=CLUSTER_ID,
                incarnation_id=Uuid(os.urandom(16)),
                log_dirs=(self.folder,),
                previous_broker_epoch=-1,
            ),
            outbox=self.outbox,
            random=random.Random(1),
            metadata_offset=lambda: AHEAD,
            may_cordon=lambda: True,
            is_replica=lambda replica: True,
            listener=self,
            log=lambda level, text: self.told.append(text),
        )
        self.broker.follow(Peer(1, "127.0.0.1", controller_port), now())

    def on_registered(self, broker_epoch: int, now: Now) -> None: ...

    def on_caught_up(self, now: Now) -> None:
        self.broker.lifecycle.ready_to_unfence(now)

    def on_unfenced(self, now: Now) -> None: ...
    def on_stopped(self, failure: str | None, now: Now) -> None: ...

    def run(self, until: Callable[[], bool]) -> bool:
        """Carry out what the broker asks for until something holds; whether it does."""

        def step() -> bool:
            if now().monotonic_ms >= self.broker.next_deadline_ms:
                self.broker.on_time(now())
            for effect in self.outbox.take():
                assert isinstance(effect, Send)
                self.machine.peers.send(effect)
            return until()

        return self.machine.run(step, 30.0)

    def is_running(self) -> bool:
        self.broker.lifecycle.start(now())
        return self.run(lambda: self.broker.lifecycle.state is BrokerState.RUNNING)

    def first_producer_id(self) -> int:
        found: list[int] = []

        def is_there() -> bool:
            try:
                found.append(self.broker.producer_ids.take(now()))
            except KafkaError:
                return False
            return True

        assert self.run(is_there)
        return found[0]

    def forwarded(self, key: ApiKey, version: int, message: Any) -> Any:
        frame = b"".join(encode_request(key, version, 5, "admin", message))[4:]  # type: ignore[arg-type]
        request = ClientRequest(key, version, frame, encode_principal(ANONYMOUS), "127.0.0.1")
        results: list[Any] = []
        self.broker.forwarding.forward(request, now()).then(results.append)
        assert self.run(lambda: bool(results))
        return results[0]


@pytest.fixture(scope="module")
def controller_port(new_folder: Callable[..., Any]) -> Iterator[int]:
    """The port of a Kafka node's controller."""
    folder = new_folder(**{"broker.session.timeout.ms": str(SESSION_MS)})
    folder.format("kafka")
    folder.start("kafka")
    config = BrokerConfig.load(folder.properties.read_text())
    (port,) = [one.port for one in config.listeners if one.listener in config.controller_listeners]
    yield port
    folder.end("kill")


@pytest.fixture
def joined(controller_port: int) -> Iterator[Joined]:
    made = Joined(controller_port)
    assert made.is_running()
    yield made
    made.broker.lifecycle.stop(10_000, now())
    made.run(lambda: made.broker.lifecycle.state is BrokerState.STOPPED)
    made.machine.close()


def create(joined: Joined, name: str) -> Any:
    topic = CreatableTopic(name=TopicName(name), num_partitions=1, replication_factor=2)
    response = joined.forwarded(ApiKey.CREATE_TOPICS, 7, CreateTopicsRequest(topics=(topic,), timeout_ms=10_000))
    return response.topics[0]


def test_blocks_of_producer_ids_follow_each_other(joined: Joined) -> None:
    assert joined.first_producer_id() % 1000 == 0


def test_a_request_that_is_passed_on_is_answered(joined: Joined) -> None:
    assert create(joined, "passed-on").error_code == ErrorCode.NONE


def test_a_replica_is_assigned_to_its_folder(joined: Joined) -> None:
    told: list[Now] = []
    topic_id = create(joined, "assigned").topic_id
    joined.broker.directories.assign((topic_id, 0), joined.folder, now(), told.append)

    assert joined.run(lambda: bool(told))


def test_the_controller_lets_a_broker_stop(joined: Joined) -> None:
    joined.broker.lifecycle.stop(60_000, now())

    assert joined.run(lambda: joined.broker.lifecycle.state is BrokerState.STOPPED)
    assert not any("took too long" in text for text in joined.told)


def test_a_new_incarnation_waits_until_the_session_of_the_last_one_is_over(
    joined: Joined, controller_port: int
) -> None:
    joined.machine.close()  # as if its process were killed
    heir = Joined(controller_port)

    assert heir.is_running()
    assert any(ErrorCode.DUPLICATE_BROKER_REGISTRATION.name in text for text in heir.told)
    joined.machine, joined.outbox = heir.machine, heir.outbox
    joined.broker = heir.broker
