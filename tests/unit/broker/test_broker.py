"""A broker's parts together: each over a channel of its own, all after the same controller."""

from __future__ import annotations

import random
from typing import Any

import pytest
from scripted_controller import FIRST, SECOND

from reference_broker.broker.broker import Broker
from reference_broker.broker.registration import registration_request
from reference_broker.effects import Outbox, Send
from reference_broker.environment import Now
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.alter_partition_request import AlterPartitionRequest
from reference_broker.wire.messages.broker_registration_request import BrokerRegistrationRequest, Listener
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.refusal import KafkaError

SETTINGS = """
process.roles=broker
node.id=1
broker.rack=east
listeners=PLAINTEXT://127.0.0.1:0
advertised.listeners=PLAINTEXT://example.org:19092
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:9093
"""
NOW = Now(1_700_000_000_000, 1000)
FOLDERS = (Uuid(bytes(15) + b"\2"), Uuid(bytes(15) + b"\1"))


class Listening:
    """A listener of a broker's life that does nothing."""

    def on_registered(self, broker_epoch: int, now: Now) -> None: ...
    def on_caught_up(self, now: Now) -> None: ...
    def on_unfenced(self, now: Now) -> None: ...
    def on_stopped(self, failure: str | None, now: Now) -> None: ...


def registration() -> BrokerRegistrationRequest:
    return registration_request(
        BrokerConfig.load(SETTINGS),
        bound={"PLAINTEXT": 40001},
        cluster_id="c",
        incarnation_id=Uuid(bytes(16)),
        log_dirs=FOLDERS,
        previous_broker_epoch=9,
    )


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def broker(outbox: Outbox) -> Broker:
    made = Broker(
        config=BrokerConfig.load(SETTINGS),
        registration=registration(),
        outbox=outbox,
        random=random.Random(1),
        metadata_offset=lambda: 10,
        may_cordon=lambda: False,
        is_replica=lambda replica: True,
        listener=Listening(),
        log=lambda level, text: None,
    )
    made.follow(FIRST, NOW)
    return made


def sent(outbox: Outbox) -> list[tuple[str, ApiKey]]:
    return [(one.channel, one.api_key) for one in outbox.take() if isinstance(one, Send)]


def ignore(outcome: Any, now: Now) -> None:
    pass


def test_a_registration_says_where_the_broker_listens() -> None:
    listener = Listener(name="PLAINTEXT", host="example.org", port=19092, security_protocol=0)
    assert registration().listeners == (listener,)


def test_a_registration_says_which_folders_are_online_in_order() -> None:
    assert registration().log_dirs == (FOLDERS[1], FOLDERS[0])


def test_a_registration_says_which_features_the_release_supports() -> None:
    spans = {one.name: (one.min_supported_version, one.max_supported_version) for one in registration().features}
    assert spans == BrokerConfig.load(SETTINGS).release.supported_features()


def test_each_part_has_a_channel_of_its_own(broker: Broker, outbox: Outbox) -> None:
    broker.lifecycle.start(NOW)
    broker.alter_partition.request(ApiKey.ALTER_PARTITION, AlterPartitionRequest(), ignore, NOW)
    with pytest.raises(KafkaError):
        broker.producer_ids.take(NOW)
    broker.directories.assign((FOLDERS[0], 0), FOLDERS[1], NOW)
    broker.on_time(Now(NOW.wall_ms + 100, NOW.monotonic_ms + 100))

    assert sent(outbox) == [
        ("controller-heartbeat", ApiKey.BROKER_REGISTRATION),
        ("controller-alter-partition", ApiKey.ALTER_PARTITION),
        ("controller-forwarding", ApiKey.ALLOCATE_PRODUCER_IDS),
        ("controller-directory-assignments", ApiKey.ASSIGN_REPLICAS_TO_DIRS),
    ]


def test_all_channels_follow_a_new_controller(broker: Broker, outbox: Outbox) -> None:
    broker.lifecycle.start(NOW)
    broker.alter_partition.request(ApiKey.ALTER_PARTITION, AlterPartitionRequest(), ignore, NOW)
    outbox.take()

    broker.follow(SECOND, NOW)

    assert [one.peer for one in outbox.take() if isinstance(one, Send)] == [SECOND, SECOND]


def test_the_first_of_all_deadlines_counts(broker: Broker) -> None:
    broker.directories.assign((FOLDERS[0], 0), FOLDERS[1], NOW)

    assert broker.next_deadline_ms == NOW.monotonic_ms + 100
