"""A round of compaction that is cut off costs nothing.

**Claim** After kill -9 in the middle of a round, every reading has the last value of each key, and the log is compacted
in the end. So it is wherever in the exchange of segments the broker ended: what is called .cleaned counts for nothing,
what is called .swap takes the place of what it was made of, also if some of that has gone already, and files of one
segment that are called both are none.

**Why it matters** A large log is compacted for hours: a crash falls into a round.

**Kafka says** documentation, "Log Compaction": the cleaner swaps in cleaned segments at once; KIP-58.

**Cannot see** a loss of power between the renames (durability/test_power_loss.py is about that). The log folder must be
on this machine for the exchange.

**Rejects** tests/plants/forgets_what_was_swapped_in.py, tests/plants/takes_what_was_begun_for_done.py
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from checks.retention.broker_settings import Level, altered
from checks.retention.keyed_log import OFTEN, WITHIN_S, KeyedLog, keyed_log
from harness.clients.client import Library
from harness.clients.leader_connections import RawAdmin
from harness.clients.operators.operator import Operator
from harness.hosts import cluster_time as time
from harness.hosts.lack import Lack, Means
from harness.judging.outcome import Unproven
from harness.pytest_plugin.lacking import skip_for
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.pytest_plugin.strike import Strike
from harness.targets.target import Cluster, Node

pytestmark = [
    pytest.mark.cluster(config=OFTEN),
    pytest.mark.feature("Compaction"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(58),
    pytest.mark.document("Kafka documentation, Log Compaction", "https://kafka.apache.org/documentation/#compaction"),
]
NO_FOLDER = Lack(Means.SOFTWARE, "segments can be exchanged in a log folder on this machine only")
SLOWLY = {"log.cleaner.io.max.bytes.per.second": "150000"}
VALUE_BYTES = 400
KEYS, PARTS, KILLS = 600, 10, 2
NEVER = {"min_cleanable_dirty_ratio": "1.0"}
SOON = {"min.cleanable.dirty.ratio": "0.01"}
SEGMENT_FILES = (".log", ".index", ".timeindex")
STATES = ("begun", "half named", "swapped in", "half deleted")


@pytest.mark.long
@pytest.mark.claim("R5", "D9")
@pytest.mark.setting("log.cleaner.io.max.bytes.per.second")
def test_a_kill_in_the_middle_of_a_round(
    cluster: Cluster,
    client: Library,
    admin: RawAdmin,
    names: Names,
    chance: Random,
    strike: Strike,
    tmp_path: Path,
) -> None:
    """Rounds are slowed down, and the broker is killed when the file of what is kept has been begun."""
    with keyed_log(cluster.bootstrap, client, admin, names.topic("table"), chance, keys=KEYS) as log:
        with altered(cluster, Level.CLUSTER, log.topic, SLOWLY):
            for turn in range(KILLS):
                log.begin_generation()
                for _ in range(PARTS):  # small batches of many records: a round has many steps
                    log.write_all(
                        [(b"key %d" % chance.randrange(KEYS), chance.randbytes(VALUE_BYTES)) for _ in range(150)]
                    )
                log.begin_generation()
                log.write(5)
                _await_round(cluster, log, tmp_path / f"{turn}")
                strike("kill", topic=log.topic)
                log.read()
        log.await_compacted()


@pytest.mark.claim("R5", "D9")
def test_wherever_the_exchange_of_segments_was_cut_off(
    cluster: Cluster,
    client: Library,
    admin: RawAdmin,
    operator: Operator,
    names: Names,
    chance: Random,
    record: CheckRecord,
    require_fault: Callable[[str], None],
    tmp_path: Path,
) -> None:
    """The folders of four partitions are brought, while the broker is dead, to what four moments of it leave."""
    require_fault("kill")
    (node,) = cluster.nodes
    if node.data_dir is None:
        skip_for(NO_FOLDER)
    with ExitStack() as open_logs:
        logs = {}
        for state in STATES:
            one = keyed_log(cluster.bootstrap, client, admin, names.topic("table"), chance, **NEVER)
            log = logs[state] = open_logs.enter_context(one)
            for _ in range(3):
                log.write_generation(30)
            log.begin_generation()
            log.write(5)
            _copy_closed(node, log, tmp_path / state / "before")
            operator.alter_topic(log.topic, SOON)
        for state, log in logs.items():
            log.await_compacted()
            _copy_closed(node, log, tmp_path / state / "after")

        record.faults += 1
        node.kill()
        for state, log in logs.items():
            _bring_about(state, _folder(node, log), tmp_path / state, log.model.closed_end)
            log.model.is_one_copy = False  # what the check puts back was gone
        for path in _folder(node, log).parent.glob("cleaner-offset-checkpoint*"):
            path.unlink()
        node.start()
        node.wait_ready()
        cluster.wait_healthy()

        for log in logs.values():
            log.read()
            log.write_generation(30)
            log.await_compacted()


def _await_round(cluster: Cluster, log: KeyedLog, scratch: Path) -> None:
    """Waits until a round over the log has begun to write what it keeps."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        for node in cluster.nodes:
            for folder in node.fetch_log_dirs(scratch):
                if any((folder / f"{log.topic}-0").glob("*.log.cleaned")):
                    return
        if time.monotonic() > deadline:
            raise Unproven(f"no round over {log.topic} was seen within {WITHIN_S:.0f} s, in which to kill the broker")
        time.sleep(0.05)


def _folder(node: Node, log: KeyedLog) -> Path:
    assert node.data_dir is not None
    return node.data_dir / f"{log.topic}-0"


def _closed(folder: Path, end: int) -> Iterator[Path]:
    """The files of the segments that begin below an offset."""
    for path in sorted(folder.iterdir()):
        if path.suffix in SEGMENT_FILES and int(path.stem) < end:
            yield path


def _copy_closed(node: Node, log: KeyedLog, into: Path) -> None:
    into.mkdir(parents=True)
    for path in _closed(_folder(node, log), log.model.closed_end):
        shutil.copy(path, into / path.name)


def _bring_about(state: str, folder: Path, copies: Path, end: int) -> None:
    """The folder as a broker leaves it that ends in this state of the exchange of all closed segments for one."""
    for path in list(_closed(folder, end)):
        path.unlink()
    for path in (copies / "before").iterdir():
        is_gone = state == "half deleted" and int(path.stem) > 0
        shutil.copy(path, folder / (f"{path.name}.deleted" if is_gone else path.name))
    for path in (copies / "after").iterdir():
        is_swapped = state in ("swapped in", "half deleted") or (state == "half named" and path.suffix == ".log")
        shutil.copy(path, folder / f"{path.name}{'.swap' if is_swapped else '.cleaned'}")
