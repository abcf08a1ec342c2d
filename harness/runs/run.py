"""A run: a workload with clients and faults on a cluster, into a history.

Phases: run (producers and consumers work, the nemesis has its spells) → quiet (the last deliveries come in, consumers
reach the end) → the faults that were asked for at the end → final read of every partition by fresh clients. Every wait
is bounded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.clients.client import ClientTrouble, Library
from harness.clients.leader_connections import RawAdmin
from harness.clients.topic_settings import read_topic_settings
from harness.history.admin_calls import recording
from harness.history.files import HistoryWriter, StoredHistory, stream_history
from harness.hosts.executor import Executor, Task, current
from harness.hosts.host import HostTrouble
from harness.judging.guarantees import TopicSettings
from harness.runs.consumer import ConsumerRole
from harness.runs.context import RunContext, RunTrouble
from harness.runs.fault import Fault, Spell
from harness.runs.looking import look_at_partitions
from harness.runs.nemesis import NemesisRole, evenly
from harness.runs.producer import ProducerRole
from harness.runs.progress import Phase, Progress
from harness.runs.reader import ReaderRole
from harness.targets.target import Cluster
from harness.workloads.queue import Queue

_PROGRESS_S = 0.5
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A run that was done as asked."""

    history: StoredHistory
    operations: int
    phases: tuple[Phase, ...]
    topic: TopicSettings
    """What the cluster says of the topic."""
    notes: tuple[str, ...] = ()
    """What a reader of the verdict should know of how the run went, each once."""


def run(
    queue: Queue,
    cluster: Cluster,
    library: Library,
    *,
    writer: HistoryWriter,
    seed: object,
    duration_s: float = 10.0,
    faults: Sequence[Fault] = (),
    spells: Sequence[Spell] = (),
    at_end: Sequence[Fault] = (),
    hold_s: float = 2.0,
    replicas: int = 1,
    topic_config: Mapping[str, str] | None = None,
    progress: Callable[[Progress], None] | None = None,
    executor: Executor | None = None,
) -> Finished:
    """The finished history of a run; the writer is closed. RunTrouble when the run was not what was asked for.

    `faults` come one after another, evenly spread over the run, each for `hold_s`; `spells` come as a schedule has
    drawn them. Those `at_end` come when all is quiet, just before the final read, and are healed at once. `seed` may be
    anything that prints alike in each run.
    """
    executor = executor or current()
    context = RunContext(queue, cluster, library, seed=seed, writer=writer, executor=executor)
    topic = TopicSettings()
    watched = threading.Event()
    watcher = threading.Thread(target=_watch, args=(context, progress, watched), daemon=True)
    watcher.start()
    try:
        with recording(writer):
            topic = _create(context, replicas, topic_config or {})
            nemesis = NemesisRole(context)
            _work(context, nemesis, [*evenly(faults, duration_s, hold_s), *spells], duration_s)
            nemesis.at_once(at_end)
        context.enter("final read")
        executor.run(ReaderRole(context).work())
        look_at_partitions(context)
        context.enter("end")
    except (HostTrouble, ClientTrouble, RunTrouble, OSError) as trouble:
        context.trouble(str(trouble) if isinstance(trouble, RunTrouble) else f"{type(trouble).__name__}: {trouble}")
    finally:
        watched.set()
        watcher.join(5)
        writer.close()
    if context.troubles:
        raise RunTrouble("; ".join(list(dict.fromkeys(context.troubles))[:4]))
    return Finished(
        history=stream_history(writer.path),
        operations=writer.count,
        phases=tuple(context.phases),
        topic=topic,
        notes=tuple(dict.fromkeys(context.notes)),
    )


def _create(context: RunContext, replicas: int, config: Mapping[str, str]) -> TopicSettings:
    """Makes the topic; what the cluster then says of it. RunTrouble when that is not what was asked for."""
    topic = context.queue.topic
    admin = RawAdmin(context.cluster.bootstrap)
    try:
        admin.create_topic(topic, context.queue.partitions, replicas, config)
    finally:
        admin.close()
    settings = read_topic_settings(context.cluster.bootstrap, topic)
    if settings.replicas != replicas:
        raise RunTrouble(f"topic {topic} was to have {replicas} replicas, and has {settings.replicas}")
    asked = config.get("min.insync.replicas")
    if asked is not None and int(asked) != settings.min_insync:
        raise RunTrouble(f"topic {topic} was to have min.insync.replicas={asked}, and has {settings.min_insync}")
    look_at_partitions(context)
    return settings


def _work(context: RunContext, nemesis: NemesisRole, spells: Sequence[Spell], duration_s: float) -> None:
    """The run phase, and the quiet after it."""
    queue, waits = context.queue, context.waits
    context.enter("run")
    producers = [ProducerRole(context, number) for number in range(1, queue.producers + 1)]
    consumers = [ConsumerRole(context, number) for number in range(1, queue.consumers + 1)]
    producing = [context.executor.start(role.name, context.guarded(role.work)) for role in producers]
    consuming = [context.executor.start(role.name, context.guarded(role.work)) for role in consumers]
    is_done = False
    try:
        await_load(context)
        nemesis.work(spells, duration_s)
        is_done = True
    finally:
        context.enter("quiet")
        context.producing_ends.set()
        _join(context, producing, waits.producer_end_s)
        if is_done and not context.troubles:  # an interrupt must not be lost in the trouble that it makes
            _catch_up(context, list(dict.fromkeys(role.reader for role in consumers)))
        context.consuming_ends.set()
        _join(context, consuming, waits.consumer_end_s)


def await_load(context: RunContext) -> None:
    """Waits until a record is acknowledged, at most as long as that may take: on a busy machine a client's first answer
    takes seconds, and a fault before it would meet no load.
    """
    deadline_ns = context.executor.now_ns() + int(context.waits.delivery_s * 1e9)
    while not context.counts.acknowledged and not context.troubles and context.executor.now_ns() < deadline_ns:
        context.executor.sleep(_LOOK_S)


def _catch_up(context: RunContext, readers: Sequence[str]) -> None:
    """Waits until the consumers have read all that is in the log, or the time for it is over."""
    deadline_ns = context.executor.now_ns() + int(context.waits.catch_up_s * 1e9)
    admin = RawAdmin(context.cluster.bootstrap)
    try:
        partitions = range(context.queue.partitions)
        ends = {partition: admin.offsets(context.queue.topic, partition)[1] for partition in partitions}
    finally:
        admin.close()
    while not context.have_reached(readers, ends) and context.executor.now_ns() < deadline_ns:
        context.executor.sleep(_LOOK_S)


def _join(context: RunContext, tasks: Sequence[Task], timeout_s: float) -> None:
    deadline_ns = context.executor.now_ns() + int(timeout_s * 1e9)
    for task in tasks:
        task.join(max(0.1, (deadline_ns - context.executor.now_ns()) / 1e9))
        if task.is_alive():
            context.trouble(f"{task.name} did not end within {timeout_s:.0f} s")


def _watch(context: RunContext, progress: Callable[[Progress], None] | None, ends: threading.Event) -> None:
    while progress is not None:
        progress(context.counts.progress(context.elapsed_s(), context.lag()))
        if ends.wait(_PROGRESS_S):
            return
