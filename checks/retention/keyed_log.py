"""A compacted topic that a check writes to and reads again and again, each reading judged by the model.

What is written comes in generations. The timestamps of one lie a minute behind those of the one before, and segment.ms
is half a minute: so each generation begins a segment, on every target, at whatever time it is written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from harness.clients.client import ClientTrouble, Consumer, Library, Producer
from harness.clients.leader_connections import RawAdmin
from harness.clients.transfer import Outgoing, send_all
from harness.hosts import cluster_time as time
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import BrokenPromise
from harness.model.compaction import CompactedLog, LogRecord, Reading

GENERATION_MS: Final = 60_000
SEGMENT_MS: Final = GENERATION_MS // 2
SPREAD_MS: Final = 1_000
"""Within which the timestamps of a generation lie."""
DAY_MS: Final = 86_400_000
OFTEN: Final[Mapping[str, str]] = {
    # Kafka looks for dirty logs every 15 s; a check would wait for most of its time.
    "log.cleaner.backoff.ms": "100",
}
"""Settings of a cluster on which compaction is checked."""
COMPACTED: Final[Mapping[str, str]] = {
    "cleanup.policy": "compact",
    "segment.ms": str(SEGMENT_MS),
    "min.cleanable.dirty.ratio": "0.01",
    "delete.retention.ms": str(DAY_MS),
    "file.delete.delay.ms": "1000",
}
"""Settings of a topic that is compacted as soon as a segment is closed, and keeps its tombstones."""
WITHIN_S: Final = 30.0
"""How long a round may take, with the wait before it. A check ends as soon as it is done."""
PROMISE: Final = "compaction keeps the last value of each key, and changes nothing of what it keeps"


@dataclass(slots=True, kw_only=True)
class KeyedLog:
    """One partition of records with keys. `first_ms` is the timestamp of the first generation (None: an hour ago)."""

    bootstrap: str
    library: Library
    admin: RawAdmin
    topic: str
    chance: Random
    keys: int = 12
    config: Mapping[str, str] = field(default_factory=dict)
    replicas: int = 1
    settings: ClientSettings = field(default_factory=ClientSettings)
    first_ms: int | None = None
    readings: int = 0
    """How many were judged."""
    _model: CompactedLog | None = None
    _generation: int = -1
    _producer: Producer | None = None
    _reader: Consumer | None = None

    def __post_init__(self) -> None:
        config = {**COMPACTED, **self.config}
        self.admin.create_topic(self.topic, replicas=self.replicas, config=config)
        self._model = CompactedLog(
            delete_retention_ms=int(config["delete.retention.ms"]),
            min_compaction_lag_ms=int(config.get("min.compaction.lag.ms", 0)),
            is_one_copy=self.replicas == 1,
        )

    @property
    def model(self) -> CompactedLog:
        """What it is judged by."""
        assert self._model is not None
        return self._model

    @property
    def now_ms(self) -> int:
        """The time of the brokers, if nobody moves their clocks."""
        return int(time.time() * 1000)

    def begin_generation(self) -> None:
        """What is written next begins a segment: all before it may be compacted from now on."""
        self._generation += 1
        if self.first_ms is None:
            self.first_ms = self.now_ms - 3_600_000
        self.model.close_below(self.model.end, self.now_ms)

    def write(self, count: int) -> None:
        """Records of this generation with keys, values, tombstones and headers by chance."""
        self.write_all([self._by_chance() for _ in range(count)])

    def write_all(self, pairs: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Records of this generation with these keys and values. ClientTrouble unless all are acknowledged."""
        base_ms = (self.first_ms or 0) + self._generation * GENERATION_MS
        outgoing = [
            Outgoing(
                key=key,
                value=value,
                partition=0,
                headers=self._headers(),
                timestamp=base_ms + self.chance.randrange(SPREAD_MS),
            )
            for key, value in pairs
        ]
        if self._producer is None:
            self._producer = self.library.producer(self.bootstrap, self.settings, f"{self.topic}-producer")
        deliveries = send_all(self._producer, self.topic, outgoing)
        records = [
            LogRecord(delivery.offset, one.timestamp or 0, one.key or b"", one.value, one.headers)
            for delivery, one in zip(deliveries, outgoing, strict=True)
        ]
        self.model.append(sorted(records))

    def write_generation(self, count: int) -> None:
        """A new generation, by chance."""
        self.begin_generation()
        self.write(count)

    def read(self) -> Reading:
        """All that a consumer is given from the log's start to its end. BrokenPromise if Kafka may not answer so."""
        start, end = self.admin.offsets(self.topic, 0)
        deadline = time.monotonic() + WITHIN_S
        while True:
            began_ms = self.now_ms
            try:
                records = list(self._records(end))
                break
            except ClientTrouble:  # a broker that was killed has just come back
                self._close_reader()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        found = Reading(
            began_ms=began_ms,
            ended_ms=self.now_ms,
            end=end,
            records=records,
            start=start,
            start_after=self.admin.offsets(self.topic, 0)[0],
        )
        if wrong := self.model.judge(found):
            raise BrokenPromise(
                f"A reading of {self.topic} from {start} to {end} is not what compaction may leave: {wrong[0]}.",
                witness=wrong[1:],
                promise=PROMISE,
                claim="R5",
            )
        self.readings += 1
        return found

    def await_compacted(self, end: int | None = None, within_s: float = WITHIN_S) -> Reading:
        """Reads on until only the last of each key is left below `end` (None: of all closed segments). BrokenPromise if
        that takes too long.
        """
        end = self.model.closed_end if end is None else end
        wanted = {record.offset for record in self.model.kept(end)}
        return self.await_gone([offset for offset in self.model.written if offset not in wanted], within_s)

    def await_gone(self, offsets: Sequence[int], within_s: float = WITHIN_S) -> Reading:
        """Reads on until none of these offsets is read. BrokenPromise if that takes too long."""
        deadline = time.monotonic() + within_s
        while True:
            found = self.read()
            surplus = sorted({record.offset for record in found.records}.intersection(offsets))
            if not surplus:
                return found
            if time.monotonic() > deadline:
                raise BrokenPromise(
                    f"{within_s:.0f} s after they could be compacted away, {len(surplus)} of {len(offsets)} records of "
                    f"{self.topic} are still there.",
                    witness=[f"the first are at offsets {surplus[:10]}"],
                    promise="what is dirty is compacted once there is more of it than min.cleanable.dirty.ratio says",
                    claim="R5",
                )
            time.sleep(0.05)

    def require_whole(self, for_s: float, why: str) -> None:
        """Reads on for so long, in which nothing may go. `why` ends the sentence that tells of what has gone."""
        deadline = time.monotonic() + for_s
        while time.monotonic() < deadline:
            there = {record.offset for record in self.read().records}
            missing = [offset for offset in self.model.written if offset not in there]
            if missing:
                raise BrokenPromise(
                    f"{len(missing)} records of {self.topic} are gone, {why}.", witness=[f"the first: {missing[:10]}"]
                )
            time.sleep(0.05)

    def close(self) -> None:
        """Closes its clients."""
        self._close_reader()
        if self._producer is not None:
            self._producer.close()

    def _close_reader(self) -> None:
        if self._reader is not None:
            reader, self._reader = self._reader, None
            reader.close()

    def _records(self, end: int) -> Iterator[LogRecord]:
        if self._reader is None:
            self._reader = self.library.consumer(self.bootstrap, ClientSettings(), f"{self.topic}-reader", None)
        self._reader.assign([(self.topic, 0)])
        deadline = time.monotonic() + WITHIN_S
        position = 0
        while position < end:
            found = self._reader.poll(0.2)
            for record in found:
                position = record.offset + 1
                yield LogRecord(record.offset, record.timestamp, record.key or b"", record.value, record.headers)
            if not found:
                position = max(position, self._reader.position(self.topic, 0))
            if time.monotonic() > deadline:
                raise ClientTrouble(
                    f"{self.topic}: a reader is at {position} after {WITHIN_S:.0f} s; the log ends at {end}"
                )

    def _by_chance(self) -> tuple[bytes, bytes | None]:
        key = b"key %d" % self.chance.randrange(self.keys)
        if self.chance.random() < 0.15:
            return key, None
        return key, self.chance.randbytes(self.chance.choice((0, 3, 40, 300)))

    def _headers(self) -> tuple[tuple[str, bytes], ...]:
        return tuple((f"h{number}", self.chance.randbytes(4)) for number in range(self.chance.randrange(3)))


@contextlib.contextmanager
def keyed_log(
    bootstrap: str,
    library: Library,
    admin: RawAdmin,
    topic: str,
    chance: Random,
    *,
    keys: int = 12,
    replicas: int = 1,
    settings: ClientSettings | None = None,
    first_ms: int | None = None,
    **config: str,
) -> Iterator[KeyedLog]:
    """A new topic. `config` are settings of it, with underscores for dots; its clients are closed at the end."""
    made = KeyedLog(
        bootstrap=bootstrap,
        library=library,
        admin=admin,
        topic=topic,
        chance=chance,
        keys=keys,
        replicas=replicas,
        settings=settings or ClientSettings(),
        first_ms=first_ms,
        config={name.replace("_", "."): value for name, value in config.items()},
    )
    try:
        yield made
    finally:
        made.close()
