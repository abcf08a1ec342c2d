"""Sees whether a setting is in force: by what a broker does with a log, before it is set, while it is, and after."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from checks.retention.broker_settings import Level, altered
from harness.clients.leader_connections import LeaderConnections, RawAdmin
from harness.clients.stored_batches import stored_batches
from harness.comparing.request_forms import batch, delete_records, produce
from harness.hosts import cluster_time as time
from harness.judging.outcome import BrokenPromise, require
from harness.pytest_plugin.names import Names
from harness.replicas.replica_log import read_checkpoint
from harness.targets.target import Cluster
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.records import Batch

SEEN_WITHIN_S: Final = 10.0
"""How long it may take until a change that was acknowledged shows."""
HOUR_MS: Final = 3_600_000
SETTINGS_CLUSTER: Final[Mapping[str, str]] = {
    "log.cleaner.backoff.ms": "100",
    "log.retention.check.interval.ms": "200",
    "log.flush.scheduler.interval.ms": "100",
    "log.flush.interval.ms": "1000000000000",
    "log.flush.offset.checkpoint.interval.ms": "200",
    "log.flush.start.offset.checkpoint.interval.ms": "200",
}
"""The cluster of all checks of settings: what is done every so often is done often."""


@dataclass(slots=True)
class ProbedLog:
    """A topic, and what can be seen of it. Timestamps go up by five seconds a batch, from two hours ago on."""

    cluster: Cluster
    admin: RawAdmin
    topic: str
    scratch: Path
    _clock_ms: int = field(default=0)
    _copies: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self._clock_ms = self.now_ms - 2 * HOUR_MS

    @property
    def now_ms(self) -> int:
        """The brokers' time."""
        return int(time.time() * 1000)

    def send(
        self, *values: str, key: str | None = None, timestamp: int | None = None, partition: int = 0, **more: Any
    ) -> str:
        """Produces a batch; the name of the error with which it is answered."""
        self._clock_ms += 5_000
        at_ms = self._clock_ms if timestamp is None else timestamp
        data = batch(*values, key=key, timestamps=[at_ms] * len(values), **more)
        deadline = time.monotonic() + SEEN_WITHIN_S
        while True:
            answer = self._ask(ApiKey.PRODUCE, 9, produce(self.topic, {partition: data}), partition)
            name = ErrorCode(answer.responses[0].partition_responses[0].error_code).name
            # A broker may lead a topic a moment later than it is told of it.
            if name != "NOT_LEADER_OR_FOLLOWER" or time.monotonic() > deadline:
                return name
            time.sleep(0.05)

    def fill(self, *values: str, **more: Any) -> None:
        """Produces a batch that must be taken."""
        require(self.send(*values, **more), "NONE", "the answer to a batch")

    def roll(self, key: str | None = None) -> None:
        """Begins a segment. The topic has segment.ms of a minute."""
        self._clock_ms += 2 * 60_000
        self.fill("rolls", key=key)

    def delete_before(self, offset: int) -> None:
        """Deletes records."""
        answer = self._ask(ApiKey.DELETE_RECORDS, 2, delete_records(self.topic, offset), 0)
        require(answer.topics[0].partitions[0].error_code, ErrorCode.NONE, "the answer to the deletion of records")

    @property
    def batches(self) -> list[Batch]:
        """What is in the log."""
        return stored_batches(self.cluster.bootstrap, self.topic, 0)

    @property
    def bounds(self) -> tuple[int, int]:
        """(log start offset, high watermark)."""
        return self.admin.offsets(self.topic, 0)

    def files(self, suffix: str, partition: int = 0) -> dict[str, Path]:
        """The files of a partition's folder that end so, by name."""
        folder = self.log_dir() / f"{self.topic}-{partition}"
        return {path.name: path for path in sorted(folder.iterdir()) if path.name.endswith(suffix)}

    def checkpoint(self, name: str) -> int | None:
        """What a checkpoint of the log folder says of the partition; None where it does not name it."""
        return read_checkpoint(self.log_dir() / name).get((self.topic, 0))

    def log_dir(self) -> Path:
        """The log folder of the leader."""
        leader = self.cluster.view(topics=(self.topic,)).leader_of(self.topic, 0)
        for node in self.cluster.nodes:
            if node.id == leader:
                return node.fetch_log_dirs(self.scratch / f"{next(self._copies)}")[0]
        pytest.skip("the log folders of this target's nodes are out of reach")

    def _ask(self, api_key: int, version: int, request: Any, partition: int) -> Any:
        view = LeaderConnections(self.cluster.bootstrap, "probe")
        try:
            return view.leader(self.topic, partition).request(api_key, version, request)
        finally:
            view.forget()


Seen = Callable[[ProbedLog], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A topic's setting, the broker's that gives it its default, and a value with which `seen` gives something else.

    `is_fresh`: what is seen counts from the creation of a log, or of a segment, so that each look is at a new topic.
    """

    name: str
    broker: str
    value: str
    seen: Seen
    usual: object
    wanted: object
    of_topic: Mapping[str, str] = field(default_factory=dict)
    """What else is set on the topic."""
    partitions: int = 1
    is_fresh: bool = False
    levels: tuple[Level, ...] = tuple(Level)


def on_all_levels(*settings: Setting) -> Any:
    """Decorator: runs a check with each setting at each of its levels; at one broker's only where time is plenty."""
    return pytest.mark.parametrize(
        ("setting", "level"),
        [
            pytest.param(one, level, id=f"{one.name}-{level.name.lower()}", marks=_marks(one, level))
            for one in settings
            for level in one.levels
        ],
    )


def _marks(setting: Setting, level: Level) -> list[Any]:
    seen_by = pytest.mark.setting(setting.name, setting.broker)
    return [seen_by, pytest.mark.long] if level is Level.BROKER else [seen_by]


def require_effect(
    setting: Setting, level: Level, cluster: Cluster, admin: RawAdmin, names: Names, scratch: Path
) -> None:
    """Looks three times: before the setting is set at a level, while it is, and when it is no longer."""

    def new(**more: str) -> ProbedLog:
        topic = names.topic("probe")
        admin.create_topic(topic, partitions=setting.partitions, config={**setting.of_topic, **more})
        return ProbedLog(cluster, admin, topic, scratch / topic)

    log = new()
    own = setting.name if level is Level.TOPIC else setting.broker

    def look(wanted: object, when: str, **more: str) -> None:
        deadline = time.monotonic() + SEEN_WITHIN_S
        while (found := setting.seen(new(**more) if setting.is_fresh else log)) != wanted:
            if time.monotonic() > deadline:
                raise BrokenPromise(
                    f"{own}={setting.value} at the level {level.value}: {when} {found!r} is seen, and not {wanted!r}.",
                    claim="M7",
                )
            time.sleep(0.05)

    look(setting.usual, "before it is set")
    if setting.is_fresh and level is Level.TOPIC:
        look(setting.wanted, "with it", **{setting.name: setting.value})
    else:
        with altered(cluster, level, log.topic, {own: setting.value}):
            look(setting.wanted, "while it is set")
        look(setting.usual, "after it was unset")
