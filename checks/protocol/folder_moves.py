"""Moves of replicas between the log folders of a broker, and what is asked of the partitions that move."""

from __future__ import annotations

from typing import Final

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import batch, fetch, produce
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_replica_log_dirs_request import (
    AlterReplicaLogDir,
    AlterReplicaLogDirsRequest,
    AlterReplicaLogDirTopic,
)
from reference_broker.wire.messages.describe_log_dirs_request import DescribableLogDirTopic, DescribeLogDirsRequest
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.records import iter_batches

MOVED_WITHIN_S: Final = 60.0
SERVED_WITHIN_S: Final = 10.0
BROKER: Final = 4
SET, DELETE = 0, 1
RATE: Final = "replica.alter.log.dirs.io.max.bytes.per.second"
CORDONED: Final = "cordoned.log.dirs"


def places(exchange: Exchange, topic: str) -> dict[str, bool]:
    """Folder → whether the topic's partition 0 is there as a future replica only; the folders without it are left
    out."""
    asked = DescribeLogDirsRequest(topics=(DescribableLogDirTopic(topic=TopicName(topic), partitions=(0,)),))
    return {
        folder.log_dir: one.is_future_key
        for folder in exchange.quietly(asked).results
        for named in folder.topics
        for one in named.partitions
    }


def folders(exchange: Exchange, topic: str) -> tuple[str, str]:
    """The folder in which the topic is, and the other one."""
    (here,) = places(exchange, topic)
    (other,) = (
        one.log_dir for one in exchange.quietly(DescribeLogDirsRequest(topics=())).results if one.log_dir != here
    )
    return here, other


def move(topic: str, path: str) -> AlterReplicaLogDirsRequest:
    """A request to have the topic's partition 0 in a folder."""
    named = AlterReplicaLogDirTopic(name=TopicName(topic), partitions=(0,))
    return AlterReplicaLogDirsRequest(dirs=(AlterReplicaLogDir(path=path, topics=(named,)),))


def asked_to_move(exchange: Exchange, words: str, topic: str, path: str, version: int = 2) -> str:
    """The name of the error that a request to move is answered with."""
    (result,) = exchange.ask(words, move(topic, path), version).results
    return ErrorCode(result.partitions[0].error_code).name


def await_place(exchange: Exchange, topic: str, path: str) -> None:
    """Waits until the topic is in a folder, and in no other."""
    found: dict[str, bool] = {}
    for _ in exchange.patience(MOVED_WITHIN_S):
        found = places(exchange, topic)
        if found == {path: False}:
            return
    require(found, {path: False}, f"where {topic} is after {MOVED_WITHIN_S:g} s")


def read(exchange: Exchange, topic: str) -> list[tuple[int, str]]:
    """(offset, value) of all records. After a start the partition may not be served for a moment: that is no end."""
    found: list[tuple[int, str]] = []
    while True:
        for _ in exchange.patience(SERVED_WITHIN_S):
            data = exchange.quietly(fetch(topic, len(found)), 12).responses[0].partitions[0]
            if not data.error_code:
                break
        require(ErrorCode(data.error_code).name, "NONE", f"the answer to a fetch from {len(found)}")
        batches = list(iter_batches(data.records if data.records is not None else b""))
        if not batches:
            return found
        for one in batches:
            found += [
                (one.header.base_offset + at, (record.value or b"").decode()) for at, record in enumerate(one.records())
            ]


def append(exchange: Exchange, topic: str, value: str) -> None:
    """Appends a record."""
    answer = exchange.quietly(produce(topic, batch(value)), 9)
    code = answer.responses[0].partition_responses[0].error_code
    require(ErrorCode(code).name, "NONE", f"the answer to the record {value}")


def limit_moves(exchange: Exchange, rate: int | None) -> None:
    """Sets the limit of all brokers for moves, in bytes per second; None removes it."""
    _change(exchange, "", RATE, None if rate is None else str(rate))


def cordon(exchange: Exchange, node_id: int, path: str | None) -> None:
    """Has a broker put no new replica into a folder (KIP-1066); None takes that back."""
    _change(exchange, str(node_id), CORDONED, path)


def _change(exchange: Exchange, broker: str, name: str, value: str | None) -> None:
    config = AlterableConfig(name=name, config_operation=DELETE if value is None else SET, value=value)
    resource = AlterConfigsResource(resource_type=BROKER, resource_name=broker, configs=(config,))
    (answer,) = exchange.quietly(IncrementalAlterConfigsRequest(resources=(resource,))).responses
    require(ErrorCode(answer.error_code).name, "NONE", f"the answer to a change of {name}")
