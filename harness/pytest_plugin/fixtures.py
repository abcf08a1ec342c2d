"""The fixtures that checks use."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from random import Random

import pytest

from harness.clients.client import ClientTrouble, Library, library
from harness.clients.leader_connections import RawAdmin
from harness.clients.operators.librdkafka import LibrdkafkaOperator
from harness.clients.operators.operator import Operator
from harness.clients.operators.raw import RawOperator
from harness.hosts.executor import using
from harness.hosts.lack import Lack, Means
from harness.judging.outcome import Outcome
from harness.pytest_plugin.clusters import asked_by, is_simulated, spec_of
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.lacking import skip_for
from harness.pytest_plugin.names import Names, tag_of
from harness.pytest_plugin.options import OPTIONS, OWN_CLIENT, ChosenTarget
from harness.pytest_plugin.record import CheckRecord, record_of
from harness.pytest_plugin.session import SESSION
from harness.pytest_plugin.sizing import lack_of_nodes
from harness.pytest_plugin.strike import Strike
from harness.targets import kafka_tools
from harness.targets.kafka_tools import Java
from harness.targets.target import Cluster

NO_SOCKETS = Lack(
    Means.SOFTWARE,
    "a simulated cluster has no sockets: only the project's own client reaches it (--client raw)",
)
_NAMES: pytest.StashKey[Names] = pytest.StashKey()


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> ChosenTarget:
    """The target under check."""
    chosen: ChosenTarget = request.param
    return chosen


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    """The run's seed."""
    return pytestconfig.stash[OPTIONS].seed


@pytest.fixture
def record(request: pytest.FixtureRequest) -> CheckRecord:
    """What is known of this check on this target: steps, observations, differences."""
    return record_of(request.node)


@pytest.fixture
def chance(seed: int, record: CheckRecord) -> Random:
    """Randomness of this check's own, the same in each run with the seed, and for each target."""
    return Random(f"{seed}/{record.check}")


@pytest.fixture
def usable(target: ChosenTarget, request: pytest.FixtureRequest) -> ChosenTarget:
    """The target, when it can be used here and offers what the check's cluster needs."""
    options = request.config.stash[OPTIONS]
    lack = lack_of_nodes(asked_by(request.node), options.nodes) or target.lack(spec_of(request.node))
    if lack is not None:
        skip_for(lack, options.required)
    return target


@pytest.fixture
def require_fault(usable: ChosenTarget, pytestconfig: pytest.Config) -> Callable[[str], None]:
    """require_fault("kill"): skips where faults of that kind cannot be brought about on the target's clusters."""

    def require(kind: str) -> None:
        if (lack := usable.lack_for_fault(kind)) is not None:
            skip_for(lack, pytestconfig.stash[OPTIONS].required)

    return require


@pytest.fixture
def cluster(usable: ChosenTarget, request: pytest.FixtureRequest, record: CheckRecord) -> Iterator[Cluster]:
    """A healthy cluster of the target, shared with other checks that want the same."""
    clusters, spec = request.config.stash[SESSION].clusters, spec_of(request.node)
    leased = clusters.lease(usable, spec)
    record.version = leased.version()
    with using(leased.executor):
        yield leased
        if not usable.kind.is_ours and _NAMES in request.node.stash:
            _tidy_up(leased, request.node.stash[_NAMES])
        is_wrong = record.outcome in (Outcome.BROKEN, Outcome.KNOWN_BUG)
        if is_wrong or (record.outcome is Outcome.UNKNOWN and record.faults):
            with contextlib.suppress(Exception):  # what went wrong with the check is the trouble to tell
                record.open_folder(request.config.stash[SESSION].run()).write_logs(clusters.logs(usable, spec))
        if record.faults and record.outcome not in (Outcome.HELD, Outcome.OBSERVED):
            clusters.repair(usable, spec)
        else:
            clusters.inspect(usable, spec)


def _tidy_up(cluster: Cluster, names: Names) -> None:
    """Deletes the topics that a check created on a cluster that the harness did not start."""
    admin = RawAdmin(cluster.bootstrap, patience_s=5)
    with contextlib.suppress(ClientTrouble, OSError), contextlib.closing(admin):
        for topic in names.topics:
            admin.delete_topic(topic)


@pytest.fixture
def client(request: pytest.FixtureRequest, record: CheckRecord) -> Library:
    """The client library under check: --client, or the one that the check is parametrised with; the project's own where
    that is the only one that can reach the target."""
    options = request.config.stash[OPTIONS]
    asked = getattr(request, "param", None) or (options.clients[0] if options.has_chosen_client else None)
    name = str(asked or (OWN_CLIENT if is_simulated(request.node) else options.clients[0]))
    if is_simulated(request.node) and name != OWN_CLIENT:
        skip_for(NO_SOCKETS, options.required)
    record.client = name
    try:
        return library(name)
    except ImportError as missing:
        pytest.skip(f"--client {name}: the package {missing.name} is not installed")


@pytest.fixture
def sockets(request: pytest.FixtureRequest) -> None:
    """Skips where no client library can reach the target's clusters, for a check that is about one library."""
    if is_simulated(request.node):
        skip_for(NO_SOCKETS, request.config.stash[OPTIONS].required)


@pytest.fixture
def names(request: pytest.FixtureRequest, record: CheckRecord) -> Names:
    """Names for topics and groups that no other run has."""
    tag = request.config.stash[SESSION].tag
    if is_simulated(request.node):  # its cluster is its own, and its history the same in each run
        tag = tag_of(request.config.stash[OPTIONS].seed)
    given = request.node.stash[_NAMES] = Names(tag, record.check)
    return given


@pytest.fixture
def admin(cluster: Cluster) -> Iterator[RawAdmin]:
    """Makes topics and looks at them, with the project's own client."""
    opened = RawAdmin(cluster.bootstrap)
    yield opened
    opened.close()


@pytest.fixture
def operator(request: pytest.FixtureRequest, cluster: Cluster) -> Operator:
    """Makes, describes and alters topics and groups, with librdkafka's admin client; with requests of our own on a
    simulated cluster, which has no sockets."""
    kind = RawOperator if is_simulated(request.node) else LibrdkafkaOperator
    return kind(cluster.bootstrap)


@pytest.fixture
def drive(
    request: pytest.FixtureRequest, usable: ChosenTarget, client: Library, record: CheckRecord, names: Names, seed: int
) -> Drive:
    """drive(Queue(…), "kill"): a workload under faults, stored and judged."""
    session = request.config.stash[SESSION]
    return Drive(
        cluster=lambda: request.getfixturevalue("cluster"),
        target=usable,
        library=client,
        record=record,
        folder=lambda: record.open_folder(session.run()),
        seed=seed,
        duration_s=request.config.stash[OPTIONS].duration_s,
        required=request.config.stash[OPTIONS].required,
        show=lambda progress: session.progress.show(record.check.partition("/")[2], progress),
    )


@pytest.fixture
def strike(
    require_fault: Callable[[str], None],
    cluster: Cluster,
    record: CheckRecord,
    chance: Random,
    pytestconfig: pytest.Config,
) -> Strike:
    """strike("kill", topic="orders"): a fault between two steps of a check, healed before it returns;
    `with strike.held("clock:stop")`: one under which the check goes on."""
    required = pytestconfig.stash[OPTIONS].required
    return Strike(cluster=cluster, record=record, chance=chance, require_fault=require_fault, required=required)


@pytest.fixture
def java(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Java:
    """Kafka's own tools and clients; skips where Java or Kafka's jars are missing. Fetches them where required."""
    lack, required = kafka_tools.lack(), pytestconfig.stash[OPTIONS].required
    if is_simulated(request.node):
        skip_for(NO_SOCKETS, required)
    if lack is not None and not (lack.means in required and kafka_tools.may_fetch()):
        skip_for(lack, required)
    return Java()
