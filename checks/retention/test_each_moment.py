"""At each moment a log begins where its settings say: nothing is deleted early, nothing late, nothing comes back.

**Claim** From the first record on, whatever is appended and whatever its timestamps are: a segment is there until its
largest timestamp is older than retention.ms, or the segments after it have retention.bytes; a turn of the retention
check later it is gone. The log starts at the start of a segment and never goes back. Offsets outside of the log are
refused with OFFSET_OUT_OF_RANGE, those inside are not. Changed settings count at once, without a restart.

**Why it matters** Who promises to keep records for a week, or to delete them after one, promises it for each moment.

**Kafka says** topic configuration retention.ms, retention.bytes, segment.ms, segment.bytes, message.timestamp.type;
broker configuration log.retention.check.interval.ms, log.initial.task.delay.ms; KIP-32.

**Cannot see** open transactions, since the reference has none; what happens between two looks at the log, some
hundredths of a second apart; a bound tighter than the check's interval and three seconds for a busy machine. The
millisecond and the byte: retention/limits_are_exact.

**Rejects** tests/plants/counts_the_oldest_timestamp.py, tests/plants/counts_the_first_segment_twice.py,
tests/plants/deletes_no_old_segments.py, tests/plants/deletes_what_is_of_the_future.py,
tests/plants/ignores_new_limits_until_a_restart.py, tests/plants/starts_within_a_segment.py
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from harness.clients.node_admin import NodeAdmin
from harness.clients.operators.operator import Operator
from harness.hosts import cluster_time as time
from harness.judging.outcome import require
from harness.judging.retention.log_history import Limits, LogHistory
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.options import ChosenTarget
from harness.runs.log_watch import DAY_MS, LogWatch, rules
from harness.targets.target import Cluster
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.incremental_alter_configs_request import (
    AlterableConfig,
    AlterConfigsResource,
    IncrementalAlterConfigsRequest,
)
from reference_broker.wire.records import Record, encode_batch

pytestmark = [
    pytest.mark.feature("Retention"),
    pytest.mark.claim("R1", "R2", "R3", "R4", "R11"),
    pytest.mark.kip(32),
    pytest.mark.document(
        "topic configuration retention.ms", "https://kafka.apache.org/documentation/#topicconfigs_retention.ms"
    ),
    pytest.mark.document(
        "broker configuration log.retention.check.interval.ms",
        "https://kafka.apache.org/documentation/#brokerconfigs_log.retention.check.interval.ms",
    ),
]
APART_S = 0.1
SOON_MS = 1_200
EVERY_S = 0.1
LATE_S = 4.6
"""What a deletion may take on a busy machine, beyond its limit, and a little more."""
BATCH = len(encode_batch([Record(0, 0, None, bytes(100))]))
"""Bytes of a batch with one record of 100 bytes."""
_BROKER, _SET, _UNSET = 4, 0, 1


@dataclass(frozen=True, kw_only=True)
class Case:
    """How records are appended, to what topic."""

    limits: Limits
    append: Callable[[LogWatch, int], object]
    """Appends the batch of this number."""
    batches: int = 25
    segment_ms: int = 50
    segment_bytes: int = 1 << 30
    config: Mapping[str, str] = field(default_factory=dict)
    goes: bool = True
    """Whether anything is to be deleted."""


def now(watch: LogWatch, number: int) -> object:
    return watch.append_now()


def out_of_order(watch: LogWatch, number: int) -> object:
    """Batches of three records each, of which the largest timestamp is now the first, now the last."""
    first, last = sorted((300 * (number % 3), 200 * (number % 2)))
    at_ms = int(time.time() * 1000)
    return watch.append(at_ms - first, at_ms - 400, at_ms - last)


def large(watch: LogWatch, number: int) -> object:
    return watch.append_now(size=90_000)


def an_hour_old(watch: LogWatch, number: int) -> object:
    return watch.append_now(ahead_ms=-3_600_000)


def half_of_the_future(watch: LogWatch, number: int) -> object:
    """The sixth batch is of the future: it, and what is after it, stays."""
    return watch.append_now(ahead_ms=1_800_000 if number == 5 else 0)


def without_time(watch: LogWatch, number: int) -> object:
    return watch.append_without_time()


BY_TIME = {
    "out-of-order": Case(limits=Limits(SOON_MS), append=out_of_order, segment_ms=350),
    "of-now": Case(limits=Limits(SOON_MS), append=now),
    "of-the-past": Case(limits=Limits(600_000), append=an_hour_old),
    "of-the-future": Case(limits=Limits(SOON_MS), append=half_of_the_future),
    "without-timestamps": Case(limits=Limits(SOON_MS), append=without_time, batches=8, segment_ms=7 * DAY_MS),
    "of-the-brokers-time": Case(
        limits=Limits(SOON_MS), append=an_hour_old, config={"message.timestamp.type": "LogAppendTime"}
    ),
    "without-limits": Case(limits=Limits(), append=an_hour_old, goes=False),
}
BY_SIZE = {
    "small": Case(limits=Limits(None, 6 * BATCH), append=now),
    "small-or-young": Case(limits=Limits(SOON_MS, 8 * BATCH), append=now),
    "whole-segments": Case(
        limits=Limits(None, 1_500_000), append=large, batches=40, segment_ms=7 * DAY_MS, segment_bytes=1_048_576
    ),
}


@pytest.fixture(autouse=True)
def frequent(target: ChosenTarget) -> None:
    """Skips where the check of retention may come every five minutes only."""
    if not target.kind.is_ours:
        pytest.skip(f"{target.name}: retention may be checked every five minutes only on a cluster that is not ours")


def settings(limits: Limits) -> dict[str, str]:
    """The limits as settings of a topic."""
    return {
        "retention.ms": f"{-1 if limits.retention_ms is None else limits.retention_ms}",
        "retention.bytes": f"{-1 if limits.retention_bytes is None else limits.retention_bytes}",
    }


@pytest.mark.parametrize("cases", [BY_TIME, BY_SIZE], ids=["by-time", "by-size"])
def test_each_moment_is_as_the_settings_say(
    cluster: Cluster, operator: Operator, names: Names, cases: Mapping[str, Case]
) -> None:
    """Several topics with different limits, appended to and watched at once."""
    with ExitStack() as all_watches:
        watches = {
            name: all_watches.enter_context(watch_of(cluster, operator, names.topic(name), case))
            for name, case in cases.items()
        }
        for number in range(max(case.batches for case in cases.values())):
            for name, case in cases.items():
                if number < case.batches:
                    case.append(watches[name], number)
            time.sleep(APART_S)
        time.sleep(LATE_S)

    for name, case in cases.items():
        watches[name].require_legal()
        require((start_of(watches[name]) or 0) > 0, case.goes, f"whether anything of {name} was deleted")


def watch_of(cluster: Cluster, operator: Operator, topic: str, case: Case) -> LogWatch:
    """A new topic with a case's settings, to be watched."""
    segments = {"segment.ms": f"{case.segment_ms}", "segment.bytes": f"{case.segment_bytes}"}
    operator.create_topic(topic, config={**settings(case.limits), **segments, **case.config})
    bounds = rules(segment_ms=case.segment_ms, segment_bytes=case.segment_bytes)
    return LogWatch(cluster.bootstrap, topic, LogHistory(rules=bounds, limits=case.limits), every_s=EVERY_S)


def test_new_limits_of_a_topic_count_at_once(cluster: Cluster, operator: Operator, names: Names) -> None:
    """A topic without limits gets one, and has its records deleted; then another that keeps what comes after it."""
    topic = names.topic("readings")
    operator.create_topic(topic, config={**settings(Limits()), "segment.ms": "50"})

    with LogWatch(cluster.bootstrap, topic, LogHistory(rules=rules(segment_ms=50), limits=Limits())) as watch:
        for _ in range(10):
            watch.append_now()
            time.sleep(APART_S)
        time.sleep(SOON_MS / 1000)
        with watch.changing(Limits(500)):
            operator.alter_topic(topic, settings(Limits(500)))
        time.sleep(LATE_S + 1)
        with watch.changing(Limits(None, 3 * BATCH)):
            operator.alter_topic(topic, settings(Limits(None, 3 * BATCH)))
        time.sleep(1)
        for _ in range(10):
            watch.append_now()
            time.sleep(APART_S)
        time.sleep(LATE_S)

    watch.require_legal()
    require(start_of(watch), 17, "the start of the log of which the last three batches are kept")


def test_new_defaults_of_the_brokers_count_at_once(cluster: Cluster, operator: Operator, names: Names) -> None:
    """A topic without a limit of its own has the brokers', when that changes too; one of its own goes before it."""
    topic, own = names.topic("readings"), names.topic("ledger")
    operator.create_topic(topic, config={"segment.ms": "50"})
    operator.create_topic(own, config={"segment.ms": "50", **settings(Limits(DAY_MS))})
    bounds = rules(segment_ms=50)
    week = Limits(7 * DAY_MS)

    with (
        LogWatch(cluster.bootstrap, topic, LogHistory(rules=bounds, limits=week)) as watch,
        LogWatch(cluster.bootstrap, own, LogHistory(rules=bounds, limits=Limits(DAY_MS))) as other,
    ):
        for _ in range(6):
            watch.append_now()
            other.append_now()
            time.sleep(APART_S)
        try:
            with watch.changing(Limits(SOON_MS)):
                set_default(cluster, "log.retention.ms", f"{SOON_MS}")
            time.sleep(SOON_MS / 1000 + LATE_S + 1)
        finally:
            with watch.changing(week):
                set_default(cluster, "log.retention.ms", None)
        time.sleep(1)
        kept = watch.append_now()
        time.sleep(SOON_MS / 1000 + 2)

    watch.require_legal()
    other.require_legal()
    require(start_of(watch), kept.base_offset, "the start of the log, whose last record came under the old default")
    require(start_of(other), 0, "the start of the log that has a limit of its own")


def start_of(watch: LogWatch) -> int | None:
    """The log start offset that was told last."""
    return [look.start for look in watch.history.looks if look.start is not None][-1]


def set_default(cluster: Cluster, name: str, value: str | None) -> None:
    """Sets a setting of all brokers; None takes it away."""
    config = AlterableConfig(name=name, config_operation=_UNSET if value is None else _SET, value=value)
    resource = AlterConfigsResource(resource_type=_BROKER, resource_name="", configs=(config,))
    with NodeAdmin(cluster.nodes[0].address) as admin:
        answer = admin.ask(ApiKey.INCREMENTAL_ALTER_CONFIGS, 1, IncrementalAlterConfigsRequest(resources=(resource,)))
    require(ErrorCode(answer.responses[0].error_code).name, "NONE", f"the answer to {name}={value}")
