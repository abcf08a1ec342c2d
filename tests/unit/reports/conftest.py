"""Stored runs made by hand: histories that are written, not played, with the results that the plugin would store."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.history.files import FORMAT, HistoryWriter
from harness.history.history import History
from harness.history.operations import FaultAct
from harness.history.store import Item, Meta, Run, verdict_data
from harness.judging.guarantees import ClientSettings, Guarantees, TopicSettings
from harness.judging.verdicts import merged
from harness.workloads import queue
from harness.workloads.synthetic import Script

STARTED_MS = 1_764_000_000_000
"""A time of day for everything here: 2025-11-24 16:00:00 UTC."""
CLAIM = "A record acknowledged with acks=all is in the final log, once, at the acknowledged offset."
KILL = FaultAct(kind="kill", nodes=(2,))
Store = Callable[..., Item]


def loaded_history(sends: int = 600, *, loses: int | None = None, kills_at: float = 0.5) -> History:
    """Two producers and two consumers; the nemesis kills a node for a while; the final read may lack one value."""
    chance = random.Random(7)
    script = Script("orders")
    log: dict[int, str] = {}
    read = [0, 0]
    script.assign("consumer 1")
    script.assign("consumer 2")
    for number in range(sends):
        if number == int(sends * kills_at):
            script.fault(KILL, "no process of node 2 runs")
        if number == int(sends * kills_at) + 20:
            script.heal(KILL)
        value = f"{number % 2 + 1}.{number}"
        invoked = script.invoke(value, process=f"producer {number % 2 + 1}")
        log[number] = value
        script.ok(invoked, number)
        if number % 40 == 39:
            follower = chance.randrange(2)
            fresh = {offset: log[offset] for offset in range(read[follower], number - 5) if offset != loses}
            if fresh:
                script.poll(fresh, process=f"consumer {follower + 1}")
            read[follower] = max(read[follower], number - 5)
    if loses is not None:
        del log[loses]
    script.final_read(log, end=sends)
    return slowed(script.history(), sends, kills_at)


def slowed(history: History, sends: int, kills_at: float) -> History:
    """The same with ten seconds of time: some milliseconds a send, and a long wait while the node is down."""
    chance = random.Random(11)
    now, operations = 0.0, []
    for operation in history.operations:
        now += chance.expovariate(1 / 4)
        if operation.f == "kill" and operation.of is None:
            now += 2_000
        elif operation.f == "heal" and operation.of is None:
            now += 1_500
        operations.append(msgspec.structs.replace(operation, time_ns=int(now * 1e6)))
    return History(operations)


def write_history(path: Path, history: History) -> None:
    """A history file with the operations' own times, at a fixed time of day."""
    times = iter([0, *(operation.time_ns for operation in history)])
    with HistoryWriter(path, clock_ns=lambda: next(times)) as writer:
        for operation in history:
            writer.append(
                operation.process,
                operation.kind,
                operation.f,
                operation.value,
                error=operation.error,
                of=operation.of,
            )
    lines = path.read_bytes().split(b"\n", 1)
    path.write_bytes(b'{"history":%d,"started_at_ms":%d}\n' % (FORMAT, STARTED_MS) + lines[1])


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """An empty run on two targets."""
    about = {"seed": 20261122, "targets": ["reference", "kafka@4.3.1"], "started_at_ms": STARTED_MS, "python": "3.11.7"}
    return Run.create(root=tmp_path / "reports" / "out", about=about)


@pytest.fixture
def store(run: Run) -> Store:
    """Stores a check in the run: `store("durability/x[kill]", "reference", "held", history=…, failure=…)`."""

    def add(
        check: str,
        target: str = "reference",
        outcome: str = "held",
        *,
        history: History | None = None,
        logs: Mapping[str, str] | None = None,
        claim: str = "D1",
        **more: Any,
    ) -> Item:
        item = run.item(check, target)
        client, topic = ClientSettings(), TopicSettings()
        verdicts = queue.judge(history, Guarantees.of(client, topic)) if history is not None else ()
        if history is not None:
            write_history(item.history_path, history)
        if logs:
            item.write_logs(logs)
        item.write_meta(
            Meta(
                check=check,
                claim=claim,
                target=target,
                version="4.3.1" if target.startswith("kafka") else "",
                client="confluent",
                seed=20261122,
                client_settings=asdict(client),
                topic_settings=asdict(topic),
                rerun=f"pytest checks/{check.partition('[')[0]}.py --target {target} --seed 20261122",
                verdict=str(merged(verdict.validity for verdict in verdicts)) if verdicts else "",
                verdicts=[verdict_data(verdict) for verdict in verdicts],
                duration_s=12.25,
                operations=len(history) if history is not None else 0,
                faults=sum(operation.f != "heal" and operation.of is None for operation in history.faults())
                if history is not None
                else 0,
                more={"outcome": outcome, "sentence": CLAIM, "feature": "Produce", "severity": "critical", **more},
            )
        )
        return item

    return add


def kafka_log(lines: int = 400) -> str:
    """A node's log as log4j writes it, a line every 50 ms from the start of the history."""
    from datetime import datetime

    made = []
    for number in range(lines):
        moment = datetime.fromtimestamp((STARTED_MS + number * 50) / 1000)
        stamp = moment.strftime("%Y-%m-%dT%H:%M:%S,") + f"{moment.microsecond // 1000:03d}"
        made.append(f"{stamp} INFO  [Broker id=2] line {number} (state.change.logger)")
    return "\n".join(made) + "\n"


@pytest.fixture
def whole_run(run: Run, store: Store) -> Run:
    """A run in which everything occurs: held, broken with a witness, broken request, unknown, differs, skipped."""
    header = {
        "why": 'This is what an application means by "sent".',
        "kafka_says": "Producer configuration, acks; KIP-966 for the loss of several replicas.",
        "cannot_see": "Loss of power of all nodes at once.",
    }
    phases = [{"name": "run", "start_s": 0, "stop_s": 8.1}, {"name": "final read", "start_s": 8.1, "stop_s": 9.0}]
    survives = "durability/acknowledged_records_survive"
    logs = {"node-2.log": kafka_log()}
    good, bad = loaded_history(), loaded_history(loses=301)
    for fault in ("no fault", "kill", "pause"):
        store(f"{survives}[{fault}]", "kafka@4.3.1", history=good, phases=phases, logs=logs, **header)
    store(f"{survives}[no fault]", "reference", history=good, phases=phases, **header)
    failure = "BROKEN  durability/acknowledged_records_survive[kill] [reference]   D1 lost write\n  What happened: …"
    store(f"{survives}[kill]", "reference", "broken", history=bad, phases=phases, logs=logs, failure=failure, **header)
    store(f"{survives}[pause]", "reference", "unknown", failure="Nothing is proved: node 2 did not answer in 30 s")
    order = "Records of one producer keep their order in a partition."
    for target in ("reference", "kafka@4.3.1"):
        store("ordering/order_is_kept", target, claim="O4 O5", sentence=order, observations=0)
        asked = "OffsetFetch of an unknown group answers no offsets and no error."
        store("protocol/offset_fetch::unknown_group", target, claim="", sentence=asked, observations=3)
        need = "the seed document's Java example needs Java"
        store("walkthrough/java_producer", target, "skipped", sentence="The Java example works.", skip_reason=need)
    difference = {
        "api": "OffsetFetch",
        "version": 8,
        "field": "groups[0].error_code",
        "values": {"reference": "69 GROUP_ID_NOT_FOUND", "kafka@4.3.1": "0 NONE, topics = []"},
        "exchange": 'request    group "g-17" (never seen), topics null',
        "rerun": "pytest checks/protocol/test_offset_fetch.py -k unknown_group --target reference --target kafka@4.3.1",
        "accepted_by": None,
    }
    store(
        "protocol/offset_fetch::unknown_group",
        "reference | kafka@4.3.1",
        "differs",
        claim="",
        sentence=asked,
        differences=[difference, {**difference, "field": "throttle_time_ms", "accepted_by": "2: quotas come later"}],
    )
    store(
        "metadata/topic_names",
        "reference",
        "broken",
        claim="P3",
        sentence="A topic name with a slash is refused.",
        failure="What happened: CreateTopics v7 answered 0 NONE for the name a/b",
    )
    return run


@pytest.fixture
def written(tmp_path: Path) -> Callable[[History], Path]:
    """Writes a history with its own times and gives its file."""

    def write(history: History) -> Path:
        path = tmp_path / "history.jsonl"
        write_history(path, history)
        return path

    return write
