"""What is deleted leaves the disk, when it should, and what brokers tell of their disks is so.

**Claim** Files of deleted segments stay for file.delete.delay.ms and go then; the folder of a deleted topic stays for
the brokers' log.segment.delete.delay.ms and goes then. DescribeLogDirs tells of each partition as many bytes as its
segments' files have, before and after a deletion. A topic that is created again under the name of a deleted one has
another id and begins at 0, and a node that was away meanwhile brings nothing of the old one back.

**Why it matters** A disk that retention does not free fills up. And the sizes that a broker tells are what operators
plan with.

**Kafka says** topic configuration file.delete.delay.ms; broker configuration log.segment.delete.delay.ms; KIP-113
(DescribeLogDirs); KIP-516 (topic ids).

**Cannot see** the disk of a node whose log folders are out of reach. What a node that was away keeps of a deleted topic
on its disk: Kafka puts it aside for its operator (a folder with the suffix -stray).

**Rejects** tests/plants/keeps_files_of_deleted_segments.py, tests/plants/keeps_folders_of_deleted_topics.py,
tests/plants/counts_deleted_segments.py, tests/plants/brokers/takes_the_log_of_a_deleted_topic.py
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.clients.client import ClientTrouble
from harness.clients.leader_connections import RawAdmin
from harness.clients.node_admin import NodeAdmin
from harness.clients.operators.operator import Operator
from harness.hosts import cluster_time as time
from harness.judging.outcome import require
from harness.judging.retention.log_history import Limits, LogHistory
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.options import ChosenTarget
from harness.pytest_plugin.record import CheckRecord
from harness.replicas.collecting import replicas_of
from harness.runs.log_watch import LogWatch, rules
from harness.targets import leftovers
from harness.targets.target import Cluster, Node, TargetKind
from nemesis.restore import restore
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.describe_log_dirs_request import DescribableLogDirTopic, DescribeLogDirsRequest
from reference_broker.wire.primitives import TopicName

pytestmark = [
    pytest.mark.feature("Retention"),
    pytest.mark.claim("R12", "R13"),
    pytest.mark.kip(113, 516),
    pytest.mark.document(
        "topic configuration file.delete.delay.ms",
        "https://kafka.apache.org/documentation/#topicconfigs_file.delete.delay.ms",
    ),
]
DELAY_S = 3.0
BOUND_S = 12.0
"""More than the delay, a turn of retention, and what a busy machine adds."""
RECORDS = 5
SETTLED_S = 2.0
SEGMENT = re.compile(r"\d{20}\.log")


@pytest.fixture(autouse=True)
def frequent(target: ChosenTarget) -> None:
    """Skips where the check of retention may come every five minutes only."""
    if not target.kind.is_ours:
        pytest.skip(f"{target.name}: retention may be checked every five minutes only on a cluster that is not ours")


@pytest.fixture
def quickly_seen(target: ChosenTarget) -> None:
    """Skips where a look at a folder is a copy of all folders, which takes longer than the delay that is looked at."""
    if target.kind in (TargetKind.CONTAINERS, TargetKind.MACHINES):
        pytest.skip(f"{target.name}: a copy of its folders takes longer than files of deleted segments are there")


def files(node: Node, topic: str) -> dict[str, dict[str, int]]:
    """Folder → file → bytes, of all folders of a node that begin with the topic's name."""
    with leftovers.temporary_folder() as copies:
        return {
            place.name: {one.name: size for one in place.iterdir() if (size := size_of(one)) is not None}
            for folder in node.fetch_log_dirs(copies)
            for place in folder.iterdir()
            if place.name.startswith(f"{topic}-") and place.is_dir()
        }


def size_of(path: Path) -> int | None:
    """Its bytes; None where it is gone by now."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def patiently(node: Node, topic: str, is_so: Callable[[dict[str, dict[str, int]]], bool], what: str) -> float:
    """Waits until a topic's folders are so; the seconds that it took. BrokenPromise after the bound."""
    began = time.monotonic()
    found: dict[str, dict[str, int]] = {}
    while time.monotonic() - began < BOUND_S:
        try:
            found = files(node, topic)
        except FileNotFoundError:
            continue  # a folder went while it was listed
        if is_so(found):
            return time.monotonic() - began
        time.sleep(0.05)
    require(found, what, f"what {BOUND_S:.0f} s later is in the folders of {topic}")
    return BOUND_S


def told_size(node: Node, topic: str) -> int:
    """The bytes of partition 0 as the broker tells them."""
    asked = DescribableLogDirTopic(topic=TopicName(topic), partitions=(0,))
    with NodeAdmin(node.address) as admin:
        answer = admin.ask(ApiKey.DESCRIBE_LOG_DIRS, 4, DescribeLogDirsRequest(topics=(asked,)))
    return sum(one.partition_size for result in answer.results for name in result.topics for one in name.partitions)


def size_on_disk(node: Node, topic: str) -> int:
    """The bytes of the segments of partition 0."""
    return sum(size for name, size in files(node, topic)[f"{topic}-0"].items() if SEGMENT.fullmatch(name))


def require_sizes(node: Node, topic: str, size: int, when: str) -> None:
    """The broker tells the bytes that are in files. A copy of a folder may be made while its files are renamed."""
    deadline = time.monotonic() + SETTLED_S
    while (found := (told_size(node, topic), size_on_disk(node, topic))) != (size, size):
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    require(found, (size, size), f"bytes {when} (told, in files)")


def test_files_of_deleted_segments_go_after_their_delay(
    quickly_seen: None, cluster: Cluster, admin: RawAdmin, operator: Operator, names: Names
) -> None:
    topic = names.topic("readings")
    delay = {"file.delete.delay.ms": f"{int(DELAY_S * 1000)}"}
    operator.create_topic(topic, config={"retention.ms": "-1", "segment.ms": "1", **delay})
    (node,) = [one for one in cluster.nodes if one.id == operator.leaders(topic)[0]]
    watch = LogWatch(cluster.bootstrap, topic, LogHistory(rules=rules(), limits=Limits()))
    now_ms = int(time.time() * 1000)
    sizes = [watch.append(now_ms - 60_000 + 10 * number, size=1_000).size for number in range(4)]
    sizes.append(watch.append(now_ms).size)
    require_sizes(node, topic, sum(sizes), "before")

    operator.alter_topic(topic, {"retention.ms": "30000"})
    deadline = time.monotonic() + BOUND_S
    while admin.offsets(topic, 0)[0] != 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    require(admin.offsets(topic, 0), (4, 5), "the log whose first four segments are old (its start, its end)")
    require_sizes(node, topic, sizes[4], "then")

    there = [name for name in files(node, topic)[f"{topic}-0"] if name.endswith(".log.deleted")]
    require(len(there), 4, "the number of segments' files that are there before their delay is over")
    took_s = patiently(
        node,
        topic,
        lambda found: not any(name.endswith(".deleted") for name in found[f"{topic}-0"]),
        "no file that is deleted",
    )
    require(took_s > DELAY_S - 2.5, True, f"whether the files stayed for about {DELAY_S} s, not {took_s:.1f} s,")


@pytest.mark.cluster(config={"log.segment.delete.delay.ms": f"{int(DELAY_S * 1000)}"})
def test_the_folder_of_a_deleted_topic_goes_after_its_delay(cluster: Cluster, operator: Operator, names: Names) -> None:
    topic = names.topic("readings")
    operator.create_topic(topic, config={"retention.ms": "-1"})
    (node,) = [one for one in cluster.nodes if one.id == operator.leaders(topic)[0]]
    watch = LogWatch(cluster.bootstrap, topic, LogHistory(rules=rules(), limits=Limits()))
    watch.append_now(size=10_000)
    require(list(files(node, topic)), [f"{topic}-0"], "the folders of the topic")

    operator.delete_topic(topic)
    marked = re.compile(re.escape(topic) + r"-0\.[0-9a-f]{32}-delete")
    patiently(node, topic, lambda found: all(marked.fullmatch(name) for name in found), "a folder that is to go")
    require(len(files(node, topic)), 1, "the number of folders of the topic before their delay is over")
    took_s = patiently(node, topic, lambda found: not found, "nothing")
    require(took_s > DELAY_S - 2.5, True, f"whether the folder stayed for about {DELAY_S} s, not {took_s:.1f} s,")


@pytest.mark.cluster(nodes=3)
def test_a_node_that_was_away_brings_nothing_back(
    cluster: Cluster, admin: RawAdmin, operator: Operator, names: Names, record: CheckRecord
) -> None:
    """A node is off while a topic is deleted and created anew; it comes back, and leads the new topic."""
    topic = names.topic("orders")
    admin.create_topic(topic, replicas=3, config={"retention.ms": "-1"})
    old = LogWatch(cluster.bootstrap, topic, LogHistory(rules=rules(), limits=Limits()))
    for _ in range(RECORDS):
        old.append_now(size=1_000)
    old_id = topic_id(cluster.nodes[0], topic)
    away, *others = reversed(cluster.nodes)
    try:
        with record.step(f"kill node {away.id}"):
            record.faults += 1
            away.kill()
        await_fenced(others[0], away.id)
        others_bootstrap = ",".join("{}:{}".format(*node.address) for node in others)
        again(others[0], topic)
        new = LogWatch(others_bootstrap, topic, LogHistory(rules=rules(), limits=Limits()))
        for _ in range(RECORDS + 3):
            patiently_append(new)
        require(new.history.appends[0].base_offset, 0, "the first offset of the new topic")
    finally:
        with record.step(f"start node {away.id}"):
            restore(cluster)
    cluster.wait_healthy()

    require(topic_id(away, topic) != old_id, True, "whether the new topic has another id")
    logs = replicas_of(cluster, topic, 0, [node.id for node in cluster.nodes])
    held = {log.node: (log.log_start, log.log_end, [batch.digest for batch in log.batches]) for log in logs}
    require(len({str(one) for one in held.values()}), 1, f"the number of different replicas of the new topic ({held})")
    with NodeAdmin(away.address) as client:
        client.reassign(topic, (away.id, *(node.id for node in others)))
        client.elect_preferred(topic)
    require(
        admin.offsets(topic, 0), (0, RECORDS + 3), "the new topic when the node leads it that was away (start, end)"
    )


def await_fenced(node: Node, away: int) -> None:
    """Waits until a node knows that another one is gone: then it leads nothing of what is created."""
    deadline = time.monotonic() + BOUND_S
    with NodeAdmin(node.address) as client:
        while away in {int(one.node_id) for one in client.metadata().brokers} and time.monotonic() < deadline:
            time.sleep(0.1)


def again(node: Node, topic: str) -> None:
    """Deletes a topic and creates it anew, on all nodes."""
    with NodeAdmin(node.address) as client:
        require(client.delete_topic(topic).name, "NONE", "the answer to the deletion")
        require(client.create_topic(topic, 1, 3, {"retention.ms": "-1"}).name, "NONE", "the answer to the creation")


def patiently_append(watch: LogWatch) -> None:
    """Appends a record as soon as the new topic has a leader that runs."""
    deadline = time.monotonic() + BOUND_S
    while True:
        try:
            watch.append_now(size=10)
        except ClientTrouble:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def topic_id(node: Node, topic: str) -> bytes:
    """The topic's id, as a node tells it."""
    with NodeAdmin(node.address) as client:
        return bytes(client.topic(topic).topic_id)
