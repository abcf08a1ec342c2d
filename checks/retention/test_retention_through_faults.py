"""Retention goes on, and the log begins where it should at each moment, through restarts, new leaders and wrong clocks.

**Claim** While a broker is restarted or killed, another replica comes to lead, or a broker's clock is set an hour
forward and back again, no record goes before its limit, by the clock of the broker that leads; after the fault what is
over its limit goes within the bound, counted from then. What was deleted does not come back after a restart, and every
replica ends with the same start.

**Why it matters** Brokers are restarted in every upgrade, and clocks are set by machines. Neither may delete what was
to be kept, or keep for ever what was to go.

**Kafka says** topic configuration retention.ms; broker configuration log.retention.check.interval.ms,
log.initial.task.delay.ms.

**Cannot see** a clock that is off by more than an hour; libfaketime sets the clock of a process, not of the machine.
When another replica leads, the log may begin again where it did up to a fetch before: only what DeleteRecords has
acknowledged binds there (retention/deletions_reach_every_replica).

**Rejects** tests/plants/checks_retention_once_only.py, tests/plants/deletes_by_the_monotonic_clock.py
"""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from harness.clients.leader_connections import RawAdmin
from harness.hosts import cluster_time as time
from harness.judging.outcome import require
from harness.judging.retention.log_history import Limits, LogHistory
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.options import ChosenTarget
from harness.pytest_plugin.strike import Strike
from harness.runs.log_watch import DAY_MS, LogWatch, rules
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.feature("Retention"),
    pytest.mark.claim("R2", "R3", "R4", "R11"),
    pytest.mark.document(
        "topic configuration retention.ms", "https://kafka.apache.org/documentation/#topicconfigs_retention.ms"
    ),
]
APART_S = 0.1
SOON_MS = 1_200
LATE_S = 5.0
"""What a deletion may take on a busy machine, beyond its limit and after a start, and a little more."""
HOUR_MS, MONTH_DAYS = 3_600_000, 40
SEGMENTS = {"segment.ms": "50"}


@pytest.fixture(autouse=True)
def frequent(target: ChosenTarget) -> None:
    """Skips where the check of retention may come every five minutes only."""
    if not target.kind.is_ours:
        pytest.skip(f"{target.name}: retention may be checked every five minutes only on a cluster that is not ours")


def history_of(limits: Limits, *, has_exact_segments: bool = True) -> LogHistory:
    """A new history of a log with segments of 50 ms."""
    return LogHistory(rules=rules(segment_ms=50, has_exact_segments=has_exact_segments), limits=limits)


def append_some(watch: LogWatch, count: int = 10) -> None:
    """Appends a record of its moment every tenth of a second."""
    for _ in range(count):
        watch.append_now()
        time.sleep(APART_S)


def end_of(watch: LogWatch) -> int:
    """The offset after the last one that was appended."""
    return watch.history.appends[-1].last_offset + 1


def start_of(watch: LogWatch) -> int | None:
    """The log start offset that was told last."""
    return [look.start for look in watch.history.looks if look.start is not None][-1]


@pytest.mark.parametrize("fault", [pytest.param("restart", marks=pytest.mark.long), "kill"])
def test_retention_goes_on_after_a_start(
    cluster: Cluster, admin: RawAdmin, names: Names, strike: Strike, fault: str
) -> None:
    topic = names.topic("readings")
    limits = Limits(SOON_MS)
    admin.create_topic(topic, config={"retention.ms": f"{SOON_MS}", **SEGMENTS})

    with LogWatch(cluster.bootstrap, topic, history_of(limits)) as watch:
        append_some(watch, 15)
        with watch.broken(fault):
            strike(fault, topic=topic)
        append_some(watch)
        time.sleep(SOON_MS / 1000 + LATE_S)

    watch.require_legal()
    require(start_of(watch), end_of(watch), "the start of the log, all of whose records are old")


@pytest.mark.long
def test_a_clock_that_is_ahead_makes_records_old(
    cluster: Cluster, admin: RawAdmin, names: Names, strike: Strike
) -> None:
    """Records that may stay for half an hour go when the clock is set forward by one; those that come when it was set
    back stay."""
    topic = names.topic("readings")
    limits = Limits(HOUR_MS // 2)
    admin.create_topic(topic, config={"retention.ms": f"{HOUR_MS // 2}", **SEGMENTS})

    with LogWatch(cluster.bootstrap, topic, history_of(limits)) as watch, ExitStack() as faults:
        append_some(watch)
        time.sleep(2.5)
        with watch.moving_clock(HOUR_MS):
            heal = faults.enter_context(strike.held(f"clock:jump:{HOUR_MS // 1000}", topic=topic))
        time.sleep(LATE_S + 1)
        with watch.moving_clock(0):
            heal()
        append_some(watch)
        time.sleep(2.5)

    watch.require_legal()
    require(start_of(watch), end_of(watch) - 10, "the start of the log whose last ten records are of the right time")


def test_a_month_passes_day_by_day(cluster: Cluster, admin: RawAdmin, names: Names) -> None:
    """One record a day, each kept for thirty days of the broker's clock, which is set forward by a day every three
    seconds."""
    (machine,) = [node.machine for node in cluster.nodes[:1]]
    if machine is None or len(cluster.nodes) > 1:
        pytest.skip("a month of a broker's time passes on one simulated node only")
    topic = names.topic("readings")
    admin.create_topic(topic, config={"retention.ms": f"{30 * DAY_MS}", "segment.ms": f"{DAY_MS - 1}"})
    history = LogHistory(rules=rules(segment_ms=DAY_MS - 1), limits=Limits(30 * DAY_MS))
    with LogWatch(cluster.bootstrap, topic, history) as watch:
        for day in range(MONTH_DAYS):
            with watch.moving_clock(day * DAY_MS, is_broken=False):
                machine.set_clock(day * DAY_MS / 1000)
            watch.append_now(ahead_ms=day * DAY_MS)
            time.sleep(3)
        machine.set_clock(0)

    watch.require_legal()
    require(start_of(watch), MONTH_DAYS - 30, "the start of the log of which the last thirty days are kept")


@pytest.mark.cluster(nodes=3)
@pytest.mark.parametrize("fault", ["leadership:move", "kill leader"])
def test_every_replica_follows_when_the_leader_changes(
    cluster: Cluster, admin: RawAdmin, names: Names, strike: Strike, fault: str
) -> None:
    topic = names.topic("readings")
    limits = Limits(SOON_MS)
    admin.create_topic(topic, replicas=3, config={"retention.ms": f"{SOON_MS}", "min.insync.replicas": "2", **SEGMENTS})
    history = history_of(limits, has_exact_segments=False)  # a follower that catches up appends several at once

    with LogWatch(cluster.bootstrap, topic, history) as watch, ExitStack() as all_replicas:
        replicas = [
            all_replicas.enter_context(LogWatch(cluster.bootstrap, topic, history_like(watch), follower=node.address))
            for node in cluster.nodes
        ]
        append_some(watch, 15)
        with watch.broken(fault, forgets=True):
            strike(fault, topic=topic)
        append_some(watch)
        time.sleep(SOON_MS / 1000 + LATE_S)

    watch.require_legal()
    ends = {node.id: start_of(replica) for node, replica in zip(cluster.nodes, replicas, strict=True)}
    require(ends, dict.fromkeys(ends, end_of(watch)), "where the log of each node starts, all records being old,")
    for replica in replicas:
        replica.require_legal()


def history_like(watch: LogWatch) -> LogHistory:
    """A history of another replica: the same was appended and done to it."""
    own = watch.history
    return LogHistory(
        rules=own.rules,
        limits=own.limits,
        appends=own.appends,
        doubts=own.doubts,
        changes=own.changes,
        cuts=own.cuts,
        breaks=own.breaks,
    )
