"""How many Python calls a request costs in the server: from the socket that is ready to the answer that is sent.

Counted are the `call` events of the interpreter's profiler (`sys.setprofile`): a call of a function written in Python,
and each step of a generator. Calls of C functions do not count. The numbers do not depend on the machine.

A broker runs in this process, over real sockets and files, one turn of its loop at a time.
"""

from __future__ import annotations

import random
import select
import socket
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from bench.table import Row, Table, at_most
from reference_broker.node import Observers
from reference_broker.server.clock import now
from reference_broker.server.disk import OsDisk
from reference_broker.server.listener import bind_all
from reference_broker.server.loop import Loop
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.startup import start_node
from reference_broker.storage import load_folders, run
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.framing import decode_response, encode_request
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.primitives import TopicName, Uuid
from reference_broker.wire.records import Record, encode_batch

ROUNDS: Final = 21
VERSIONS: Final = {ApiKey.PRODUCE: 13, ApiKey.FETCH: 17, ApiKey.CREATE_TOPICS: 7}
RECORDS: Final = 16
VALUE_BYTES: Final = 1012
"""So many make a batch of 16 KiB."""
BATCH_BYTES: Final = 16 * 1024
PRODUCER_ID: Final = 7
SETTINGS: Final = """
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:9093
log.dirs={folder}
"""

PRODUCE_GOAL: Final = 75
FETCH_GOAL: Final = 70
WAITING_FETCH_GOAL: Final = 110


def python_calls(act: Callable[[], object]) -> int:
    """How many calls of Python functions it makes."""
    count = 0

    def on_event(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(on_event)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count - 1  # `act` itself


class Client:
    """A client over a blocking socket."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=5)

    def send(self, key: ApiKey, request: Any) -> None:
        """A request, in the version that is measured."""
        self._socket.sendall(b"".join(encode_request(key, VERSIONS[key], 7, "bench", request)))  # type: ignore[arg-type]

    @property
    def has_answer(self) -> bool:
        """Whether a response has come."""
        return bool(select.select([self._socket], [], [], 0)[0])

    def receive(self, key: ApiKey) -> Any:
        """The response to the last request."""
        size = int.from_bytes(self._exactly(4), "big")
        return decode_response(key, VERSIONS[key], self._exactly(size))[1]

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                raise ConnectionError("the broker closed the connection")
            data += part
        return data

    def close(self) -> None:
        """Go away."""
        self._socket.close()


class CountedBroker:
    """A broker with a topic of one partition, one client that writes and one that reads."""

    def __init__(self, loop: Loop, port: int) -> None:
        self._loop = loop
        self.writer, self.reader = Client(port), Client(port)
        self.turn()
        self._topic_id = self._create_topic()
        self._end_offset = self._next_sequence = 0

    def turn(self) -> None:
        """Serve what has come."""
        self._loop.turn()

    def _create_topic(self) -> Uuid:
        topic = CreatableTopic(name=TopicName("orders"), num_partitions=1, replication_factor=1)
        self.writer.send(ApiKey.CREATE_TOPICS, CreateTopicsRequest(topics=(topic,), timeout_ms=1000))
        while not self.writer.has_answer:  # the metadata log is flushed by a thread
            self.turn()
        topic_id: Uuid = self.writer.receive(ApiKey.CREATE_TOPICS).topics[0].topic_id
        return topic_id

    def produce(self, acks: int = 1, *, is_idempotent: bool = False) -> int:
        """The calls of a Produce of one batch of 16 KiB."""
        at_ms = now().wall_ms
        producer: dict[str, Any] = {}
        if is_idempotent:
            producer = {"producer_id": PRODUCER_ID, "producer_epoch": 0, "base_sequence": self._next_sequence}
            self._next_sequence += RECORDS
        batch = encode_batch([Record(at, at_ms, None, bytes(VALUE_BYTES)) for at in range(RECORDS)], **producer)
        data = PartitionProduceData(index=0, records=batch)
        topic = TopicProduceData(topic_id=self._topic_id, partition_data=(data,))
        self.writer.send(ApiKey.PRODUCE, ProduceRequest(acks=acks, timeout_ms=1000, topic_data=(topic,)))
        calls = python_calls(self.turn)
        (answer,) = self.writer.receive(ApiKey.PRODUCE).responses[0].partition_responses
        assert answer.error_code == 0, answer
        self._end_offset = answer.base_offset + RECORDS
        return calls

    def _send_fetch(self, offset: int, session_id: int, session_epoch: int) -> None:
        wanted = FetchPartition(partition=0, fetch_offset=offset, partition_max_bytes=1 << 20)
        request = FetchRequest(
            max_wait_ms=5000,
            min_bytes=1,
            max_bytes=BATCH_BYTES + 512,
            session_id=session_id,
            session_epoch=session_epoch,
            topics=(FetchTopic(topic_id=self._topic_id, partitions=(wanted,)),),
        )
        self.reader.send(ApiKey.FETCH, request)

    def _receive_batch(self) -> Any:
        answer = self.reader.receive(ApiKey.FETCH)
        assert len(answer.responses[0].partitions[0].records) > BATCH_BYTES - 512, answer
        return answer

    def fetch(self, session_id: int = 0, session_epoch: int = -1) -> int:
        """The calls of a Fetch that gets 16 KiB at once."""
        self._send_fetch(self._end_offset - RECORDS, session_id, session_epoch)
        calls = python_calls(self.turn)
        self._receive_batch()
        return calls

    def begin_session(self) -> int:
        """The id of a new fetch session."""
        self._send_fetch(self._end_offset - RECORDS, 0, 0)
        self.turn()
        session_id: int = self._receive_batch().session_id
        return session_id

    def waiting_fetch(self) -> int:
        """The calls of a Fetch that waits and is completed by a Produce, without those of that Produce."""
        alone = self.produce()
        self._send_fetch(self._end_offset, 0, -1)
        calls = python_calls(self.turn)
        calls += self.produce() - alone
        self._receive_batch()
        return calls


@contextmanager
def counted_broker() -> Iterator[CountedBroker]:
    """A broker in this process, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="python-calls-") as folder:
        disk, chance, text = OsDisk(), random.Random(7), SETTINGS.format(folder=folder)
        disk.write_plainly(f"{folder}/server.properties", text.encode())
        arguments = ["format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c", f"{folder}/server.properties"]
        said: list[str] = []
        at_ms = now().wall_ms
        if run(arguments, disk=disk, random=chance, now_ms=at_ms, say=said.append, complain=said.append):
            raise RuntimeError("\n".join(said))
        config = BrokerConfig.load(text)
        listeners = bind_all(config.listeners, 10)
        bound = {one.name: one.port for one in listeners}
        node = start_node(
            config=config,
            folders=load_folders(disk, config),
            disk=disk,
            random=chance,
            now=now(),
            bound=bound,
            observers=Observers(),
        )
        loop = Loop(node, listeners, config, lambda level, line: None)
        try:
            loop.begin()
            while not node.serves("PLAINTEXT"):
                loop.turn()
            broker = CountedBroker(loop, bound["PLAINTEXT"])
            try:
                yield broker
            finally:
                broker.writer.close()
                broker.reader.close()
        finally:
            loop.close()
            node.close(now())


def usual(count: Callable[[], int]) -> int:
    """The median of several rounds: now and then something else is due in a turn."""
    return int(statistics.median(count() for _ in range(ROUNDS)))


def measure(table: Table) -> None:
    """Add the rows to a table."""
    table.heading("Python calls of a request in the server")

    def add(name: str, count: Callable[[], int], goal: int) -> None:
        table.add(Row(name=name, unit="calls", reference=usual(count), goal=at_most(goal)))

    with counted_broker() as broker:
        add("Produce of 16 KiB, acks=1", broker.produce, PRODUCE_GOAL)
        add("Produce of 16 KiB, acks=-1", lambda: broker.produce(-1), PRODUCE_GOAL)
        idempotent = "Produce of 16 KiB, acks=-1, idempotent"
        add(idempotent, lambda: broker.produce(-1, is_idempotent=True), PRODUCE_GOAL)
        add("Fetch of 16 KiB", broker.fetch, FETCH_GOAL)
        session_id, epochs = broker.begin_session(), iter(range(1, ROUNDS + 1))
        add("Fetch of 16 KiB in a session", lambda: broker.fetch(session_id, next(epochs)), FETCH_GOAL)
        add("Fetch that waits for 16 KiB", broker.waiting_fetch, WAITING_FETCH_GOAL)
