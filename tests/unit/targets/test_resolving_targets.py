"""A `--target` names a target, or one clear line says what is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.hosts.lack import Means
from harness.targets import jars
from harness.targets.address import AddressTarget, parse_addresses
from harness.targets.containers.target import KafkaContainerTarget
from harness.targets.kafka_process import KafkaProcessTarget
from harness.targets.mixed import MixedTarget
from harness.targets.reference import ReferenceTarget
from harness.targets.simulated.target import SimulatedTarget
from harness.targets.target import ClusterSpec, TargetTrouble, UnknownTarget, resolve, resolve_with_sockets


@pytest.fixture(autouse=True)
def _no_kafka_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KAFKA_HOME", raising=False)
    monkeypatch.setenv("KAFKA_VERIFICATION_CACHE", str(tmp_path))


@pytest.mark.parametrize(
    ("text", "cls"),
    [
        ("reference", ReferenceTarget),
        ("reference@4.3", ReferenceTarget),
        ("reference@4.0.2", ReferenceTarget),
        ("kafka@4.3.1", KafkaProcessTarget),
        ("docker@local/kafka:4.3.1", KafkaContainerTarget),
        ("at:localhost:9092,[::1]:9093", AddressTarget),
        ("simulated", SimulatedTarget),
        ("simulated@4.1", SimulatedTarget),
        ("mixed:kafka@4.2.1,kafka@4.3.1", MixedTarget),
        ("mixed:reference,kafka@4.3.1,reference@4.2", MixedTarget),
    ],
)
def test_each_form_gives_its_target_under_the_name_that_was_typed(text: str, cls: type) -> None:
    target = resolve(text)
    assert (type(target), target.name) == (cls, text)


@pytest.mark.parametrize(
    "text",
    ["", "kafak", "docker", "docker@", "simulated@3.9", "at:", "at:localhost", "at:h:0", "reference@3.9", "mixed:"],
)
def test_what_names_no_target_is_refused_with_what_is_known(text: str) -> None:
    with pytest.raises(UnknownTarget, match=r"known: |for instance "):
        resolve(text)


@pytest.mark.parametrize(
    "text", ["mixed:reference", "mixed:reference,at:localhost:9092", "mixed:kafka@4.3.1,docker@a/b"]
)
def test_a_mixed_cluster_needs_two_parts_that_are_local_processes(text: str) -> None:
    with pytest.raises(UnknownTarget, match="two or more of kafka@VERSION, reference"):
        resolve(text)


def test_a_mixed_cluster_needs_a_node_for_each_part() -> None:
    lack = resolve("mixed:reference,reference@4.2").lack(ClusterSpec(nodes=1))
    assert lack is not None
    assert (lack.means, lack.reason.endswith("--nodes 2")) == (Means.NODES, True)


def test_a_release_that_was_never_published_is_refused_with_the_published_ones() -> None:
    with pytest.raises(UnknownTarget, match=r"kafka@4\.9: no such release is published .*4\.0\.0.*KAFKA_HOME"):
        resolve("kafka@4.9")


def test_a_build_of_ones_own_is_found_by_kafka_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    libs = tmp_path / "own" / "libs"
    libs.mkdir(parents=True)
    (libs / "kafka_2.13-4.9.0-SNAPSHOT.jar").touch()
    monkeypatch.setenv("KAFKA_HOME", str(libs.parent))
    assert KafkaProcessTarget("kafka@4.9.0-SNAPSHOT", "4.9.0-SNAPSHOT").libs() == libs


def test_a_kafka_home_without_a_broker_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    with pytest.raises(TargetTrouble, match=r"KAFKA_HOME=.* no kafka_2\.13"):
        jars.home_libs()


def test_without_java_the_reason_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "Java 17 or newer is needed" in str(resolve("kafka@4.3.1").lack())


def test_without_maven_and_jars_the_fetch_says_what_would_help(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TargetTrouble, match=r"Maven \(mvn\) is needed.*KAFKA_HOME"):
        jars.fetch("4.3.1", lambda line: None)


def test_without_a_daemon_the_reason_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert "no Docker daemon answers" in str(resolve("docker@x").lack())


def test_an_address_where_nobody_listens_is_missing_with_a_reason() -> None:
    assert "no answer to ApiVersions" in str(resolve("at:127.0.0.1:1").lack())


def test_an_address_cannot_be_configured() -> None:
    lack = resolve("at:127.0.0.1:1").lack(ClusterSpec(config={"num.partitions": "3"}))
    assert lack is not None
    assert "num.partitions" in lack.reason


def test_an_address_supports_no_fault() -> None:
    lack = resolve("at:127.0.0.1:1").lack_for_fault("kill")
    assert lack is not None
    assert lack.means is Means.FAULTS


def test_addresses_are_read_with_ipv6_in_brackets() -> None:
    assert parse_addresses("a:1, [::1]:2") == (("a", 1), ("::1", 2))


def test_the_reference_offers_as_many_nodes_as_it_says() -> None:
    assert resolve("reference").lack(ClusterSpec(nodes=3, controllers=3)) is None
    assert "13 nodes are needed; this target offers at most 12" in str(resolve("reference").lack(ClusterSpec(nodes=13)))


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("docker@local/kafka:4.3.1", "docker"),
        ("docker@local/kafka:4.3.1", "paramiko"),
        ("ssh:cluster.toml", "paramiko"),
    ],
)
def test_a_package_that_is_missing_is_named_with_what_installs_it(text: str, missing: str) -> None:
    hidden = (
        f"import sys; sys.modules[{missing!r}] = None; from harness.targets.target import resolve, resolve_with_sockets"
    )
    told = f"try: resolve({text!r})\nexcept Exception as trouble: print(type(trouble).__name__, trouble)"
    ended = subprocess.run(
        [sys.executable, "-c", f"{hidden}\n{told}"], capture_output=True, text=True, check=True, timeout=60
    )

    assert ended.stdout == (
        f"UnknownTarget --target {text}: the Python package {missing} is not installed: "
        "pip install 'kafka-verification[harness]'\n"
    )


def test_what_needs_sockets_is_refused_a_simulated_cluster_with_what_to_do() -> None:
    with pytest.raises(UnknownTarget, match="has no sockets; it is for `pytest checks/`"):
        resolve_with_sockets("simulated")
