"""What is kept ends exactly at the limit: to the millisecond, and to the byte.

**Claim** A segment is kept as long as its largest timestamp is no more than retention.ms old, and goes one millisecond
later. A segment is kept as long as the segments after it have one byte less than retention.bytes, and goes when they
have as many.

**Why it matters** A limit that is off by one shows only in a log that has exactly so much; and whoever computes disk
space, or must delete by a date, computes with the limit.

**Kafka says** topic configuration retention.ms, retention.bytes.

**Cannot see** on clusters whose clocks cannot be stopped, the millisecond. Where libfaketime stops a clock it does so
at a full second, and only the clock that people read: Kafka's own timers go on.

**Rejects** tests/plants/deletes_a_millisecond_early.py, tests/plants/keeps_a_byte_too_much.py
"""

from __future__ import annotations

import pytest

from harness.clients.leader_connections import RawAdmin
from harness.clients.operators.operator import Operator
from harness.hosts import cluster_time as time
from harness.judging.outcome import Unproven, require
from harness.judging.retention.log_history import Limits, LogHistory
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.options import ChosenTarget
from harness.pytest_plugin.strike import Strike
from harness.runs.log_watch import LogWatch, rules
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.feature("Retention"),
    pytest.mark.claim("R2", "R3"),
    pytest.mark.document(
        "topic configuration retention.ms", "https://kafka.apache.org/documentation/#topicconfigs_retention.ms"
    ),
    pytest.mark.document(
        "topic configuration retention.bytes", "https://kafka.apache.org/documentation/#topicconfigs_retention.bytes"
    ),
]
KEPT_MS = 60_000
TURNS_S = 2.6
"""At least two runs of the retention check."""
GONE_WITHIN_S = 10.0


@pytest.fixture(autouse=True)
def frequent(target: ChosenTarget) -> None:
    """Skips where the check of retention may come every five minutes only."""
    if not target.kind.is_ours:
        pytest.skip(f"{target.name}: retention may be checked every five minutes only on a cluster that is not ours")


def watch_of(cluster: Cluster, topic: str) -> LogWatch:
    """For appends to a topic, of which the check itself looks at the ends."""
    return LogWatch(cluster.bootstrap, topic, LogHistory(rules=rules(), limits=Limits()))


def await_start(admin: RawAdmin, topic: str, wanted: int) -> None:
    """Waits until the log starts at an offset."""
    deadline = time.monotonic() + GONE_WITHIN_S
    while admin.offsets(topic, 0)[0] != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    require(admin.offsets(topic, 0)[0], wanted, f"the start of {topic}, {GONE_WITHIN_S:.0f} s later at most,")


@pytest.mark.cluster(is_exact=True)  # it is the one broker's clock that stops
def test_the_limit_is_exact_to_the_millisecond(
    cluster: Cluster, admin: RawAdmin, operator: Operator, names: Names, strike: Strike
) -> None:
    """At a time at which a clock stands still, what is retention.ms old stays, and what is a millisecond older goes."""
    clock, kept, gone = names.topic("clock"), names.topic("kept"), names.topic("gone")
    operator.create_topic(clock, config={"message.timestamp.type": "LogAppendTime"})
    for topic in (kept, gone):
        operator.create_topic(topic, config={"retention.ms": f"{KEPT_MS}"})
    with strike.held("clock:stop"):  # Kafka's controller does nothing meanwhile
        before_ms = watch_of(cluster, clock).append(0).max_timestamp
        watch_of(cluster, kept).append(before_ms - KEPT_MS)
        watch_of(cluster, gone).append(before_ms - KEPT_MS - 1)

        await_start(admin, gone, 1)
        time.sleep(TURNS_S)
        after_ms = watch_of(cluster, clock).append(0).max_timestamp

        if after_ms != before_ms:
            raise Unproven(f"the broker's clock went on by {after_ms - before_ms} ms while it was stopped")
        require(admin.offsets(kept, 0), (0, 1), f"the log whose record is {KEPT_MS} ms old (its start, its end)")


def test_the_limit_is_exact_to_the_byte(cluster: Cluster, admin: RawAdmin, operator: Operator, names: Names) -> None:
    """Of three segments the first goes if the other two have as many bytes as are to be kept, not one fewer."""
    kept, gone = names.topic("kept"), names.topic("gone")
    now_ms = int(time.time() * 1000)
    for topic in (kept, gone):
        operator.create_topic(topic, config={"retention.ms": "-1", "segment.ms": "1"})
        watch = watch_of(cluster, topic)
        sizes = [watch.append(now_ms + 10 * number).size for number in range(3)]

    operator.alter_topic(kept, {"retention.bytes": f"{sizes[1] + sizes[2] + 1}"})
    operator.alter_topic(gone, {"retention.bytes": f"{sizes[1] + sizes[2]}"})

    await_start(admin, gone, 1)
    time.sleep(TURNS_S)
    require(admin.offsets(gone, 0), (1, 3), "the log that is larger than its limit by its first segment (start, end)")
    require(admin.offsets(kept, 0), (0, 3), "the log whose first segment has one byte of its limit (start, end)")
