"""What pytest loads in every project that has this package installed: options and fixtures, all named kafka_….

It changes no test's status and prints nothing. What opens clusters is imported when a fixture is first used, so a
project that uses none pays for this file only, and may have packages of its own that are called harness or reports.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import pytest

if TYPE_CHECKING:
    from harness.installed_plugin.clusters import Clusters, KafkaCluster, OpensCluster
    from harness.installed_plugin.driving import KafkaDrive
    from harness.installed_plugin.injecting import KafkaNemesis

DEFAULT_TARGET = "reference"
SCOPES = ("function", "class", "module", "package", "session")
Scope = Literal["session", "package", "module", "class", "function"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the project's tests run on."""

    target: str
    """As given by --kafka-target."""
    seed: int

    def words(self) -> str:
        """The options that choose the same again."""
        return f"--kafka-target {shlex.quote(self.target)} --kafka-seed {self.seed}"


CHOSEN: pytest.StashKey[Chosen] = pytest.StashKey()
"""Where the configuration keeps it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """--kafka-target, --kafka-seed; kafka_target and kafka_scope in the project's settings of pytest."""
    group = parser.getgroup("kafka-fixtures", "fixtures kafka_broker, kafka_cluster, kafka_drive, kafka_nemesis")
    group.addoption(
        "--kafka-target",
        action="append",
        metavar="T",
        help="cluster of the fixtures: reference (default), kafka@4.3.1, docker@IMAGE, at:HOST:PORT, ssh:FILE.toml",
    )
    group.addoption(
        "--kafka-seed", metavar="N", help="seed of all random choices; the same seed repeats them (default: the date)"
    )
    parser.addini("kafka_target", "default of --kafka-target", default=DEFAULT_TARGET)
    parser.addini("kafka_scope", f"how long kafka_broker and clusters live: {', '.join(SCOPES)}", default="session")


def pytest_configure(config: pytest.Config) -> None:
    """Reads the options; a wrong one ends the run with one line."""
    given = config.getoption("--kafka-target") or [config.getini("kafka_target")]
    if len(given) > 1:
        raise pytest.UsageError(
            f"--kafka-target is given {len(given)} times ({', '.join(given)}): the fixtures open one target at a time; "
            "run pytest once for each"
        )
    scope = config.getini("kafka_scope")
    if scope not in SCOPES:
        raise pytest.UsageError(f"kafka_scope: unknown scope {scope!r} (known: {', '.join(SCOPES)})")
    if given[0] != DEFAULT_TARGET:
        _require_usable(given[0])
    config.stash[CHOSEN] = Chosen(given[0], _seed(config))


def _require_usable(text: str) -> None:
    """UsageError when there is no such target, or it cannot be used on this machine."""
    from harness.targets.target import TargetTrouble, UnknownTarget, resolve

    try:
        lack = resolve(text).lack()
        reason = "" if lack is None else f"--kafka-target {lack.reason}"
    except (UnknownTarget, TargetTrouble) as trouble:
        reason = str(trouble).replace("--target", "--kafka-target", 1)
    if reason:
        raise pytest.UsageError(" ".join(reason.split()))


def _seed(config: pytest.Config) -> int:
    text = config.getoption("--kafka-seed") or time.strftime("%Y%m%d")
    try:
        seed = int(text)
    except ValueError:
        raise pytest.UsageError(
            f"--kafka-seed: must be a whole number, not {text!r} (for instance --kafka-seed 20261122)"
        ) from None
    config.option.kafka_seed = str(seed)  # workers of pytest-xdist get the options, and must not choose another
    return seed


def _scope(fixture_name: str, config: pytest.Config) -> Scope:
    return cast(Scope, config.getini("kafka_scope"))


@pytest.fixture(scope=_scope)
def _kafka_clusters(request: pytest.FixtureRequest) -> Iterator[Clusters]:
    """The clusters of one scope, closed at its end."""
    from harness.installed_plugin.clusters import Clusters

    clusters = Clusters(request.config.stash[CHOSEN].target)
    yield clusters
    clusters.close()


@pytest.fixture(scope=_scope)
def kafka_broker(_kafka_clusters: Clusters) -> KafkaCluster:
    """A broker of --kafka-target that answers: `kafka_broker.bootstrap` is its address. It lives as long as the ini
    option kafka_scope says, by default for the session."""
    return _kafka_clusters.open()


@pytest.fixture(scope=_scope)
def kafka_cluster(_kafka_clusters: Clusters) -> OpensCluster:
    """kafka_cluster(nodes=3, controllers=0, racks=(), config={}): a healthy cluster of --kafka-target, the same one for
    the same request within the scope; skips where the target cannot have it."""
    return _kafka_clusters.open


@pytest.fixture
def kafka_drive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> KafkaDrive:
    """kafka_drive(Queue(…), "kill"): runs a workload under faults, and fails the test with a witness when the history
    of what clients saw breaks a promise of Kafka."""
    from harness.installed_plugin.driving import KafkaDrive

    chosen = request.config.stash[CHOSEN]
    return KafkaDrive(
        broker=lambda: request.getfixturevalue("kafka_broker"),
        test=request.node.nodeid,
        seed=chosen.seed,
        rerun=f"pytest {shlex.quote(request.node.nodeid)} {chosen.words()}",
        folder=lambda: tmp_path_factory.mktemp("kafka-run"),
    )


@pytest.fixture
def kafka_nemesis(request: pytest.FixtureRequest) -> Iterator[KafkaNemesis]:
    """kafka_nemesis("kill"): injects a fault, proved; healed by `heal()`, by `with`, or at the test's end, verified."""
    from harness.installed_plugin.injecting import KafkaNemesis

    nemesis = KafkaNemesis(
        broker=lambda: request.getfixturevalue("kafka_broker"),
        seed=f"{request.config.stash[CHOSEN].seed}/{request.node.nodeid}",
    )
    yield nemesis
    nemesis.heal_all()
