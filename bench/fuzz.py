"""`python -m bench.fuzz --frames N`: mutated frames against the codec and against a running broker.

The codec may refuse a frame (MalformedRequest) and nothing else. The broker must live, must not fail inside a handler,
must stay within a bound of memory, and another client must not notice. Frames come in chunks, each with a seed of its
own that is printed when something goes wrong: `--seed` with it and `--frames 1000` does it again.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random, SystemRandom
from typing import Any

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from bench import frames
from bench.neighbour import TOPIC as NEIGHBOURS_TOPIC
from bench.neighbour import Neighbour
from bench.process import resident_mb
from harness.clients.connection import RawConnection
from harness.targets.local_cluster import LocalCluster
from harness.targets.target import ClusterSpec, TargetTrouble, UnknownTarget, resolve
from reference_broker import command_line
from reference_broker.command_line import Parser, as_typed
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.framing import UnsupportedVersion, decode_request
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import MalformedRequest, TopicName, Uuid

CHUNK = 1000
PIPELINED = 8
"""Well-formed frames on one connection: more would wait behind one that is parked."""
ANSWER_S = 0.05
SLOW_S = 0.5
LIMIT_S = 10.0
MEMORY_MB = 600
SETTINGS = {"auto.create.topics.enable": "false", "queued.max.requests": "500"}
HARMFUL = frozenset(
    (
        *(ApiKey.UNREGISTER_BROKER, ApiKey.UPDATE_FEATURES, ApiKey.ALTER_CLIENT_QUOTAS),
        *(ApiKey.ADD_RAFT_VOTER, ApiKey.REMOVE_RAFT_VOTER),
    )
)
"""What takes a broker out of service, or slows a client down, when it is obeyed: read by the codec, not sent."""
_NO_LINGER = struct.pack("ii", 1, 0)


class Found(Exception):
    """Something that must not be; the text says what, and how to see it again."""


@dataclass(slots=True)
class Counts:
    """What happened."""

    frames: int = 0
    read: int = 0
    refused: int = 0
    answers: int = 0
    connections: int = 0
    slowest_s: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def line(self, megabytes: float) -> str:
        """One line of progress."""
        rate = self.frames / max(time.monotonic() - self.began, 0.001)
        return (
            f"fuzz   {self.frames:,} frames ({rate:,.0f}/s): {self.read:,} read, {self.refused:,} refused; "
            f"{self.answers:,} answers on {self.connections:,} connections; broker {megabytes:.0f} MB"
        )


def check_codec(frame: bytes, counts: Counts) -> bool:
    """Whether the frame is well-formed. Found when the codec does anything but read or refuse it, or is slow."""
    begin = time.perf_counter()
    try:
        decode_request(frame)
        is_read = True
    except MalformedRequest as refused:
        # An unknown version of ApiVersions is answered; any other closes the connection.
        is_read = isinstance(refused, UnsupportedVersion) and refused.api_key == ApiKey.API_VERSIONS
    except BaseException as crash:
        raise Found(f"the codec raised {crash!r} for {frame.hex()}") from crash
    took = time.perf_counter() - begin
    counts.slowest_s = max(counts.slowest_s, took)
    if took > SLOW_S:
        raise Found(f"the codec took {took:.2f} s for {frame.hex()}")
    counts.read += is_read
    counts.refused += not is_read
    return is_read


def groups_of(chunk: list[tuple[bytes, bool]]) -> Iterator[list[bytes]]:
    """Frames for one connection each: some well-formed ones, then at most one that ends it."""
    group: list[bytes] = []
    for frame, is_read in chunk:
        group.append(frame)
        if not is_read or len(group) == PIPELINED:
            yield group
            group = []
    if group:
        yield group


def send_group(address: tuple[str, int], group: list[bytes], random: Random, counts: Counts) -> None:
    """Sends frames on a connection of their own, reads what comes at once, and drops the connection."""
    data = b"".join(map(frames.with_size, group))
    if random.random() < 0.02:  # an absurd size, or one that never comes
        data += struct.pack(">i", random.choice((0, -1, -(1 << 31), (1 << 31) - 1, 1 << 20))) + random.randbytes(8)
    with socket.create_connection(address, timeout=LIMIT_S) as connection:
        counts.connections += 1
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        with contextlib.suppress(ConnectionError):
            connection.sendall(data)
            counts.answers += _answers_on(connection, len(group))


def _answers_on(connection: socket.socket, wanted: int) -> int:
    """How many whole answers come before the peer closes or is silent for a moment."""
    received, count = bytearray(), 0
    while count < wanted and select.select([connection], [], [], ANSWER_S)[0]:
        part = connection.recv(1 << 16)
        if not part:
            break
        received += part
        while len(received) >= 4 and len(received) - 4 >= (size := struct.unpack_from(">i", received)[0]):
            del received[: 4 + size]
            count += 1
    return count


@dataclass(slots=True)
class Watch:
    """Looks after a broker under fuzz: it lives, fits into memory, and its log tells of no failure inside."""

    cluster: LocalCluster
    seen: int = 0

    def megabytes(self) -> float:
        """What its process holds. Found when it has ended or holds too much, or when its log tells of a crash."""
        (node,) = self.cluster.nodes
        pid = node.pid
        if pid is None:
            raise Found(f"the broker ended with status {node.exit_status}; its log ends:\n{node.log_text()[-2000:]}")
        with (self.cluster.folder / "node-1.log").open("rb") as log:
            log.seek(self.seen)
            read = log.read()
        self.seen += len(read)
        new = read.decode("utf-8", errors="replace")
        at = new.find("Traceback (most recent call last)")
        if at >= 0:
            raise Found(f"a handler failed:\n{new[max(0, at - 300) : at + 3000]}")
        held = resident_mb(pid)
        if held > MEMORY_MB:
            raise Found(f"the broker holds {held:.0f} MB, more than {MEMORY_MB}")
        return held


def topic_id_of(bootstrap: str) -> Uuid:
    """The id of the fuzz's topic."""
    asked = MetadataRequest(topics=(MetadataRequestTopic(name=TopicName(frames.TOPIC)),))
    with RawConnection.to(bootstrap) as connection:
        response: Any = connection.request(ApiKey.METADATA, 12, asked)
    found: Uuid = response.topics[0].topic_id
    return found


def make_topics(bootstrap: str) -> None:
    """The topic that frames name, and the neighbour's."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})
    for made in admin.create_topics([NewTopic(name, 1, 1) for name in (frames.TOPIC, str(NEIGHBOURS_TOPIC))]).values():
        made.result(30)


def run(cluster: LocalCluster | None, *, total: int, seed: int) -> Counts:
    """Fuzzes; what was done. Found when something is wrong."""
    counts, topic_id = Counts(), Uuid(bytes(16))
    watch = neighbour = None
    if cluster is not None:
        make_topics(cluster.bootstrap)
        topic_id, watch = topic_id_of(cluster.bootstrap), Watch(cluster)
        neighbour = Neighbour(cluster.bootstrap, LIMIT_S)
    said = time.monotonic()
    try:
        for start in range(0, total, CHUNK):
            number = seed + start // CHUNK
            try:
                _run_chunk(cluster, Random(number), min(CHUNK, total - start), topic_id, counts)
                held = watch.megabytes() if watch is not None else 0.0
                if neighbour is not None and neighbour.trouble is not None:
                    raise Found(f"the other client noticed: {neighbour.trouble}")
            except (Found, OSError) as found:
                again = as_typed(f"bench.fuzz --seed {number} --frames {CHUNK}")
                raise Found(
                    f"{found}\nafter {counts.frames:,} frames; the chunk's seed is {number}: {again}"
                ) from found
            if time.monotonic() - said > 5 or start + CHUNK >= total:
                said = time.monotonic()
                print(counts.line(held), flush=True)
    finally:
        if neighbour is not None:
            neighbour.close()
    if neighbour is not None:
        print(
            f"fuzz   the other client: {neighbour.records:,} records, the slowest {neighbour.slowest_s * 1000:.0f} ms"
        )
    return counts


def _run_chunk(cluster: LocalCluster | None, random: Random, count: int, topic_id: Uuid, counts: Counts) -> None:
    valid = frames.Seeds(topic_id, random).frames()
    chunk = []
    for _ in range(count):
        frame = frames.mutated(random.choice(valid), random.choice(valid), random)
        is_read = check_codec(frame, counts)
        counts.frames += 1
        if int.from_bytes(frame[:2], "big") not in HARMFUL:
            chunk.append((frame, is_read))
    if cluster is not None:
        for group in groups_of(chunk):
            send_group(cluster.nodes[0].address, group, random, counts)


def main(arguments: list[str]) -> int:
    """The exit status: 0 when nothing was found, 1 when something was, 2 when it could not be run."""
    parser = Parser(
        prog=as_typed("bench.fuzz"),
        description="Mutated request frames against the codec and a running broker.",
        epilog=f"example: {as_typed('bench.fuzz --frames 20000')}",
    )
    parser.add_argument("--frames", type=int, default=100_000, help="how many (default: 100,000)")
    parser.add_argument("--seed", type=int, default=None, help="of the first chunk of 1,000 (default: a new one)")
    parser.add_argument("--target", default="reference", help="reference (default), or kafka@VERSION to compare")
    parser.add_argument("--codec-only", action="store_true", help="without a broker")
    chosen = parser.parse_args(arguments)
    seed = SystemRandom().randrange(1 << 32) if chosen.seed is None else chosen.seed
    against = "the codec" if chosen.codec_only else f"the codec and {chosen.target}"
    print(f"fuzz   seed {seed}, {chosen.frames:,} frames against {against}")
    try:
        cluster: Any = None if chosen.codec_only else resolve(chosen.target).open(ClusterSpec(config=SETTINGS))
    except (TargetTrouble, UnknownTarget) as trouble:
        print(f"fuzz   cannot start: {trouble}", file=sys.stderr)
        return 2
    try:
        counts = run(cluster, total=chosen.frames, seed=seed)
    except Found as found:
        print(f"fuzz   FOUND: {found}", file=sys.stderr)
        return 1
    finally:
        if cluster is not None:
            cluster.close()
    print(
        f"fuzz   nothing found in {counts.frames:,} frames; the slowest to read took {counts.slowest_s * 1000:.1f} ms"
    )
    return 0


if __name__ == "__main__":
    sys.exit(command_line.run("fuzz", lambda: main(sys.argv[1:])))
