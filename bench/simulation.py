"""Clusters on virtual time: scenarios a second with a split and its heal, and requests a second that all replicas have.

A scenario is a seed of `python -m harness simulate --kind split` (`split_plan` says what it holds): three nodes and
their clients, in a formed cluster that lives through several. The requests are Produce with acks=all, each with one
batch of one record, to a topic of replication factor 3 in three nodes; many clients each have one of them on its way.
Everything goes through the codec, on both sides.
"""

from __future__ import annotations

import gc
import time
from typing import Final

from bench.table import Row, Table, at_least
from harness.simulate.runs import run_all
from reference_broker.simulation.client import RawConnection
from reference_broker.simulation.cluster import Layout, add_cluster
from reference_broker.simulation.scenario.caller import Caller, Waits
from reference_broker.simulation.tasks import Promise, spawn
from reference_broker.simulation.world import World
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.framing import decode_response, encode_request
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.records import Record, encode_batch

SCENARIOS_GOAL: Final = 100.0
REQUESTS_GOAL: Final = 10_000.0
JOBS: Final = 2
CLIENTS: Final = 200
TOPIC: Final = "t"
PRODUCE_VERSION: Final = 13
FORMING_LIMIT_MS: Final = 30_000
STEP_MS: Final = 100


def measure(table: Table, *, seeds: int, seconds: float) -> None:
    """Add both rows."""
    table.heading("Simulation (one thread a cluster, virtual time)")
    began = time.perf_counter()
    failed = [one.outcome.wrong for one in run_all("split", range(seeds), JOBS, is_shrunk=False) if one.outcome.wrong]
    rate = seeds / (time.perf_counter() - began)
    table.add(Row(name=f"scenarios, {JOBS} processes", unit="1/s", reference=rate, goal=at_least(SCENARIOS_GOAL)))
    for wrong in failed:
        table.note(f"a scenario failed: {wrong}")
    table.add(
        Row(
            name="acknowledged Produce requests, acks=all, RF 3, one process",
            unit="1/s",
            reference=acknowledged_a_second(seconds),
            goal=at_least(REQUESTS_GOAL),
        )
    )


def acknowledged_a_second(seconds: float) -> float:
    """How many requests are acknowledged in a second of this machine's time."""
    world, layout = World(1), Layout(nodes=3, settings={"min.insync.replicas": "2"})
    add_cluster(world, layout)
    for node_id in world.nodes:
        world.start(node_id)
    admin = Caller(world, layout.bootstrap)
    ready = spawn(_topic(admin))
    world.run_until(lambda: ready.is_done, FORMING_LIMIT_MS)
    address, topic_id = ready.result()
    batch = encode_batch([Record(0, 1_700_000_000_000, None, b"value", ())])
    data = PartitionProduceData(index=0, records=memoryview(batch))
    request = ProduceRequest(
        acks=-1, timeout_ms=10_000, topic_data=(TopicProduceData(topic_id=topic_id, partition_data=(data,)),)
    )
    frame = b"".join(encode_request(ApiKey.PRODUCE, PRODUCE_VERSION, 1, "client", request))  # type: ignore[arg-type]
    load = _Load(frame)
    for _ in range(CLIENTS):
        load.send(RawConnection(world, world.new_client(), address))
    gc.collect()
    began = time.perf_counter()
    while (took_s := time.perf_counter() - began) < seconds:
        world.run_for(STEP_MS)
    return load.acknowledged / took_s


def _topic(admin: Caller) -> Waits:
    """Create the topic, once all brokers are there; where its leader listens, and its id."""
    topic = CreatableTopic(name=TopicName(TOPIC), num_partitions=1, replication_factor=3)
    while True:
        answer = yield from admin.call_any(ApiKey.CREATE_TOPICS, CreateTopicsRequest(topics=(topic,)), 30_000)
        if answer.topics[0].error_code in (ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS):
            return (yield from admin.leader(TOPIC, 0))
        yield admin.world.sleep(STEP_MS)


class _Load:
    """Clients that each send their next request when the last one is acknowledged."""

    def __init__(self, frame: bytes) -> None:
        self._frame = frame
        self.acknowledged = 0

    def send(self, connection: RawConnection) -> None:
        """Have a client begin."""

        def on_answer(promise: Promise[bytes]) -> None:
            _, answer = decode_response(ApiKey.PRODUCE, PRODUCE_VERSION, promise.result())
            (result,) = answer.responses[0].partition_responses
            if result.error_code != ErrorCode.NONE:
                raise ValueError(f"a request was refused: {ErrorCode(result.error_code).name}")
            self.acknowledged += 1
            connection.request(self._frame).then(on_answer)

        connection.request(self._frame).then(on_answer)
