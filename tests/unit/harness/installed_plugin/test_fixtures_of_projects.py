"""Tests of another project use the installed plugin's fixtures, and keep all that is their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

OWN_FIXTURES = """
import pytest

@pytest.fixture
def client(): return "client"

@pytest.fixture
def admin(): return "admin"

@pytest.fixture
def seed(): return "seed"

@pytest.fixture
def target(): return "target"

@pytest.fixture
def cluster(): return "cluster"

@pytest.fixture
def drive(): return "drive"

def test_own(client, admin, seed, target, cluster, drive):
    assert [client, admin, seed, target, cluster, drive] == ["client", "admin", "seed", "target", "cluster", "drive"]
"""
TWO_TESTS = """
seen = []

def test_first(kafka_broker): seen.append(kafka_broker.bootstrap)

def test_second(kafka_broker): seen.append(kafka_broker.bootstrap); print("brokers:", len(set(seen)))
"""


def test_fixtures_of_the_project_are_its_own(run_project) -> None:
    run_project(OWN_FIXTURES).assert_outcomes(passed=1)


def test_a_failure_is_shown_as_pytest_shows_it(run_project) -> None:
    result = run_project("def test_sum():\n    assert 1 + 1 == 3\n")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([">       assert 1 + 1 == 3", "E       assert (1 + 1) == 3", "FAILED *test_sum*"])


def test_a_broker_lives_for_the_session(run_project) -> None:
    run_project(TWO_TESTS, "-s").stdout.fnmatch_lines(["*brokers: 1*"])


def test_a_broker_lives_for_a_function_where_that_is_asked_for(run_project) -> None:
    run_project(TWO_TESTS, "-s", "-o", "kafka_scope=function").stdout.fnmatch_lines(["*brokers: 2*"])


def test_each_worker_has_a_broker_of_its_own(run_project, pytester: pytest.Pytester) -> None:
    body = """
def test_writing(kafka_broker, worker_id):
    with open(f"{worker_id}.txt", "w") as file:
        file.write(kafka_broker.bootstrap)
"""
    run_project(body, "-n", "2", "--dist", "each").assert_outcomes(passed=2)

    assert len({file.read_text(encoding="utf-8") for file in pytester.path.glob("gw*.txt")}) == 2


def test_equal_requests_share_a_cluster(run_project) -> None:
    body = """
def test_clusters(kafka_broker, kafka_cluster):
    assert kafka_cluster() is kafka_broker
    assert kafka_cluster(config={"num.partitions": "3"}) is not kafka_broker
"""
    run_project(body).assert_outcomes(passed=1)


def test_more_nodes_than_the_target_has_are_a_skip_with_its_reason(run_project) -> None:
    result = run_project("def test_nodes(kafka_cluster): kafka_cluster(nodes=13)")

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*reference: 13 nodes are needed; this target offers at most 12*"])


def test_a_cluster_without_nodes_fails_with_one_line(run_project) -> None:
    result = run_project("def test_nodes(kafka_cluster): kafka_cluster(nodes=0)")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["kafka_cluster: nodes=0, controllers=0: there must be at least 1 node*"])


def test_a_wrong_setting_fails_with_what_the_broker_says_of_it(run_project) -> None:
    result = run_project("def test_many(kafka_cluster): kafka_cluster(config={'num.partitions': 'many'})")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["kafka_cluster: reference: formatting *", "*num.partitions: Not a number of type INT"])


def test_a_killed_broker_is_healed_at_the_end_of_its_test(run_project) -> None:
    body = """
def test_killing(kafka_broker, kafka_nemesis):
    kafka_nemesis("kill")
    assert not kafka_broker.cluster.nodes[0].is_alive()

def test_next(kafka_broker):
    kafka_broker.new_topic("orders", partitions=2)
"""
    run_project(body).assert_outcomes(passed=2)


def test_a_paused_broker_goes_on_at_the_end_of_the_block(run_project) -> None:
    body = """
from nemesis import leader, pause

def test_pausing(kafka_broker, kafka_nemesis):
    node, = kafka_broker.cluster.nodes
    topic = kafka_broker.new_topic()
    with kafka_nemesis(pause(leader), topic=topic):
        assert node.is_paused()
    assert not node.is_paused()
"""
    run_project(body).assert_outcomes(passed=1)


def test_a_fault_that_the_cluster_cannot_have_is_a_skip(run_project) -> None:
    result = run_project("def test_full(kafka_nemesis): kafka_nemesis('disk')")

    result.assert_outcomes(skipped=1)


def test_a_broker_that_nobody_starts_again_is_told(run_project) -> None:
    result = run_project("def test_dead(kafka_broker): kafka_broker.cluster.nodes[0].kill()")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["kafka: node 1 at * ended while the tests ran, and nobody started it again; *"])


def test_an_unknown_fault_fails_with_one_line(run_project) -> None:
    result = run_project("def test_earth(kafka_nemesis): kafka_nemesis('earthquake')")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["kafka_nemesis: unknown fault 'earthquake' (known: kill, pause, *"])


def test_an_unknown_client_fails_with_one_line(run_project) -> None:
    body = """
from harness import Queue

def test_rabbit(kafka_drive): kafka_drive(Queue(topic="orders"), client="rabbit")
"""
    result = run_project(body)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["kafka_drive: unknown client 'rabbit' (known: confluent, *)"])


def test_a_run_that_does_too_little_fails_as_unknown(run_project) -> None:
    body = """
from harness import Needs, Queue

def test_quiet(kafka_drive):
    kafka_drive(Queue(topic="orders", rate=10, needs=Needs(acknowledged=1_000)), client="raw", duration_s=0.5)
"""
    result = run_project(body)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["UNKNOWN *test_quiet [[]reference, raw]", "  Nothing is proved: *1,000 are needed*"])


def test_the_plugin_imports_nothing_heavy() -> None:
    heavy = "numpy confluent_kafka kafka aiokafka paramiko docker hypothesis reference_broker nemesis harness"
    code = f"import sys, kafka_verification; print([m for m in {heavy.split()} if m in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
