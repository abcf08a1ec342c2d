"""Many partitions on three nodes, a third of them led by each: what happens when one node is killed and comes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain

from bench.cluster import NODES, REPLICATED, opened, pids, targets
from bench.partitions import LONGEST_S, longest_wait, parts_of, unserved
from bench.process import resident_mb
from bench.table import Row, Table
from harness.clients.connection import RawConnection
from harness.hosts.host import HostTrouble
from harness.targets.local_cluster import LocalCluster
from harness.targets.local_node import LocalNode
from harness.targets.target import ClusterSpec
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_partitions_request import CreatePartitionsRequest, CreatePartitionsTopic
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.elect_leaders_request import ElectLeadersRequest
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import TopicName

SESSION_S = 3.0
"""Long enough that nobody is fenced because the machine is busy; part of every figure after a kill."""
SESSIONS = {"broker.session.timeout.ms": f"{SESSION_S * 1000:.0f}", "broker.heartbeat.interval.ms": "500"}
MADE_AT_ONCE = 5_000
LOOK_EVERY_S = 0.02
LOOK_AT_ISR_EVERY_S = 0.5

Figures = dict[tuple[str, str], float]
"""(what, unit) → the figure of one broker."""


def measure(table: Table, *, counts: tuple[int, ...]) -> None:
    """Add the rows of each number of partitions; a cluster that does not serve them all in time has none."""
    table.heading(f"Many partitions on three nodes, sessions of {SESSION_S:g} s (the growth should be linear)")
    for count in counts:
        found: dict[str, Figures] = {}
        for who, target in targets():
            if (lack := target.lack(ClusterSpec(nodes=NODES))) is not None:
                table.note(f"not measured: {lack}")
                continue
            try:
                with opened(target, {**REPLICATED, **SESSIONS}) as cluster:
                    found[who] = _figures(cluster, count)
            except (HostTrouble, OSError) as trouble:  # a TimeoutError is one
                table.note(f"{count:,} partitions, {who}: {trouble}")
        for name, unit in next(iter(found.values()), {}):
            reference, kafka = (found.get(who, {}).get((name, unit)) for who in ("reference", "kafka"))
            table.add(Row(name=f"{count:,} × {NODES}: {name}", unit=unit, reference=reference, kafka=kafka))


def _figures(cluster: LocalCluster, count: int) -> Figures:
    name = TopicName(f"many-{count}")
    with _waits(cluster.nodes) as longest:
        begin = time.perf_counter()
        _create(cluster, name, count)
        _await_served(cluster.nodes, name, count)
        created_s, created_wait_s = time.perf_counter() - begin, longest()
    memory_mb = max(map(resident_mb, pids(cluster)))
    _await_in_sync(cluster.nodes, name)
    _elect_preferred_leaders(cluster)
    _await_served(cluster.nodes, name, count)
    controller = cluster.view().active_controller
    victim = next(node for node in cluster.nodes if node.id != controller)
    survivors = [node for node in cluster.nodes if node is not victim]
    with _waits(survivors) as longest:
        begin = time.perf_counter()
        victim.kill()
        _await_served(survivors, name, count)
        failed_over_s, failed_over_wait_s = time.perf_counter() - begin, longest()
    with _waits(survivors) as longest:
        begin = time.perf_counter()
        victim.start()
        _await_in_sync(survivors, name)
        back_s, back_wait_s = time.perf_counter() - begin, longest()
    return {
        ("created and served", "s"): created_s,
        ("  longest wait of another client", "ms"): created_wait_s * 1000,
        ("resident, the largest node", "MB"): memory_mb,
        ("a node killed: until all are served", "s"): failed_over_s,
        ("  longest wait of another client ", "ms"): failed_over_wait_s * 1000,
        ("it is back: until all are in sync", "s"): back_s,
        ("  longest wait of another client  ", "ms"): back_wait_s * 1000,
    }


def _create(cluster: LocalCluster, name: TopicName, count: int) -> None:
    """In parts: neither broker takes 10,000 partitions in one request."""
    first = CreatableTopic(name=name, num_partitions=min(count, MADE_AT_ONCE), replication_factor=NODES)
    with RawConnection.to(cluster.bootstrap, timeout_s=LONGEST_S) as client:
        request = CreateTopicsRequest(topics=(first,), timeout_ms=300_000)
        (made,) = client.request(ApiKey.CREATE_TOPICS, 7, request).topics
        codes = [made.error_code]
        for so_far in range(2 * MADE_AT_ONCE, count + MADE_AT_ONCE, MADE_AT_ONCE):
            more = CreatePartitionsTopic(name=name, count=min(so_far, count), assignments=None)
            (grown,) = client.request(
                ApiKey.CREATE_PARTITIONS, 3, CreatePartitionsRequest(topics=(more,), timeout_ms=300_000)
            ).results
            codes.append(grown.error_code)
    if any(codes):
        raise HostTrouble(f"{count} partitions are not created: {ErrorCode(max(codes)).name}")


def _elect_preferred_leaders(cluster: LocalCluster) -> None:
    """Each node leads its third, also where one was fenced meanwhile."""
    request = ElectLeadersRequest(topic_partitions=None, timeout_ms=300_000)
    with RawConnection.to(cluster.bootstrap, timeout_s=LONGEST_S) as client:
        client.request(ApiKey.ELECT_LEADERS, 2, request)


def _await_served(nodes: Sequence[LocalNode], name: TopicName, count: int) -> None:
    """Wait until every partition answers ListOffsets on one of the nodes: its leader."""
    deadline = time.monotonic() + LONGEST_S
    missing = list(range(count))
    while missing:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(missing)} of {count} partitions are not served")
        for node in nodes:
            with suppress(OSError), RawConnection(*node.address, timeout_s=LONGEST_S) as client:
                missing = list(chain.from_iterable(unserved(client, name, part) for part in parts_of(missing)))
        time.sleep(LOOK_EVERY_S)


def _await_in_sync(nodes: Sequence[LocalNode], name: TopicName) -> None:
    """Wait until every partition's ISR has all its replicas."""
    deadline = time.monotonic() + LONGEST_S
    request = MetadataRequest(topics=(MetadataRequestTopic(name=name),))
    while True:
        with suppress(OSError), RawConnection(*nodes[0].address, timeout_s=LONGEST_S) as client:
            (topic,) = client.request(ApiKey.METADATA, 9, request).topics
            behind = sum(len(one.isr_nodes) < len(one.replica_nodes) for one in topic.partitions)
            if not behind and topic.partitions:
                return
        if time.monotonic() > deadline:
            raise TimeoutError("not every replica is in sync")
        time.sleep(LOOK_AT_ISR_EVERY_S)


@contextmanager
def _waits(nodes: Sequence[LocalNode]) -> Iterator[Callable[[], float]]:
    """While it lasts each node is asked for ApiVersions again and again; the longest time in s that one took."""
    with ExitStack() as stack:
        waits = [stack.enter_context(longest_wait(f"{node.address[0]}:{node.address[1]}")) for node in nodes]
        yield lambda: max(wait() for wait in waits)
