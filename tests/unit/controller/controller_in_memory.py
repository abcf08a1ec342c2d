"""A controller of one broker over a log in memory, for tests of what it decides."""

from __future__ import annotations

import random

from metadata_log_in_memory import MetadataLogInMemory
from own_broker import OwnBroker
from quorum_of_one import lead_metadata

from reference_broker.controller.controller import Controller
from reference_broker.environment import Now
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.messages.create_topics_request import (
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from reference_broker.wire.messages.create_topics_response import CreatableTopicResult
from reference_broker.wire.primitives import Uuid

SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "listeners": "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093",
    "controller.listener.names": "CONTROLLER",
    "controller.quorum.bootstrap.servers": "127.0.0.1:9093",
    "log.dirs": "/data",
    "offsets.topic.replication.factor": "1",
}
FOLDER = Uuid(b"f" * 16)


def at(ms: int) -> Now:
    return Now(ms, ms)


def lead(log: MetadataLogInMemory, config: BrokerConfig) -> Controller:
    halts: list[str] = []
    return lead_metadata(
        log=log,
        cluster_id="C",
        config=config,
        now=at(1_000),
        random=random.Random(7 + log.high_watermark),  # each start is another incarnation
        halt=halts.append,
    ).controller


def start(log: MetadataLogInMemory, previous_broker_epoch: int = -1, **settings: str) -> Controller:
    config = BrokerConfig.of(SETTINGS | {name.replace("_", "."): value for name, value in settings.items()})
    controller = lead(log, config)
    OwnBroker(controller).start(log_dirs=(FOLDER,), previous_broker_epoch=previous_broker_epoch, now=at(1_000))
    return controller


def create(controller: Controller, *topics: CreatableTopic, validate_only: bool = False) -> list[CreatableTopicResult]:
    request = CreateTopicsRequest(topics=topics, validate_only=validate_only)
    return list(controller.submit(lambda image: controller.topics(image).decide_creation(request), at(2_000)).topics)


def topic(name: str = "t", partitions: int = 1, factor: int = 1, **configs: str) -> CreatableTopic:
    settings = tuple(CreatableTopicConfig(name=key.replace("_", "."), value=value) for key, value in configs.items())
    return CreatableTopic(name=name, num_partitions=partitions, replication_factor=factor, configs=settings)
