"""The plugin on small suites of its own, with a target that is made up: outcomes, words, exit statuses."""

from __future__ import annotations

import json

import pytest

CONFTEST = '''
"""Turns the plugin on, with targets that need nothing."""
import harness.pytest_plugin.options as options
from harness.hosts.executor import THREADS
from harness.hosts.lack import Lack, Means
from harness.targets.target import TargetKind
from harness.targets.target import ClusterSpec, TargetTrouble, UnknownTarget

pytest_plugins = ["harness.pytest_plugin.hooks"]


class Node:
    id = 1

    def __init__(self):
        self.alive = True

    def is_alive(self):
        return self.alive

    def is_paused(self):
        return False

    def start(self):
        self.alive = True

    def wait_ready(self, timeout_s=0):
        pass

    def log_text(self):
        return "the last line of the log"


class Cluster:
    executor = THREADS
    bootstrap = "127.0.0.1:1"
    opened = 0

    def __init__(self, target):
        self.target, self.nodes = target, (Node(),)
        Cluster.opened += 1
        self.number = Cluster.opened

    def version(self):
        return "9.9"

    def lack_for_fault(self, kind):
        return Lack(Means.FAULTS, f"no {kind} here")

    def logs(self):
        return {"node-1.log": "the last line of the log"}

    def close(self):
        pass


class Target:
    def __init__(self, name):
        self.name = name

    kind, release = TargetKind.KAFKA, None

    def lack(self, spec=None):
        return Lack(Means.JAVA, f"{self.name}: Java is not there") if self.name.startswith("kafka") else None

    def lack_for_fault(self, kind):
        return Lack(Means.FAULTS, f"no {kind} here")

    def open(self, spec):
        if self.name == "sick":
            raise TargetTrouble("sick does not come up")
        return Cluster(self.name)


def resolve(name):
    if name == "nonsense":
        raise UnknownTarget("--target: unknown target 'nonsense' (known: reference)")
    return Target(name)


options.resolve = resolve
'''
CHECK = '''
"""A title.

**Claim** Water runs downhill.

**Why it matters** It is wet.

**Kafka says** KIP-1.

**Cannot see** fog.

**Rejects** nothing
"""
import pytest
from harness.judging.outcome import BrokenPromise, Differs, Unproven
'''


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder with the plugin turned on."""
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    return pytester


def run(suite: pytest.Pytester, body: str, *options: str) -> pytest.RunResult:
    folder = suite.mkdir("checks") / "area"
    folder.mkdir()
    (folder / "test_water.py").write_text(CHECK + body, encoding="utf-8")
    return suite.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "checks", *options)


def counts(result: pytest.RunResult) -> str:
    return next(line for line in result.outlines if " held · " in line and "unknown ·" in line)


def metas(suite: pytest.Pytester) -> list[dict[str, object]]:
    folder = suite.path / "reports" / "out" / "latest"
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*/meta.json"))]


def test_a_check_that_passes_has_held(suite: pytest.Pytester) -> None:
    result = run(suite, "def test_water(cluster): pass")

    assert result.ret == 0
    assert counts(result).startswith("1 held · 0 broken · 0 unknown · 0 differ · 0 known bugs · 0 observed · 0 skipped")


def test_a_broken_promise_is_shown_with_its_claim_its_witness_and_the_way_to_run_it_again(
    suite: pytest.Pytester,
) -> None:
    body = "def test_water(cluster): raise BrokenPromise('It ran uphill.', witness=['t=1 a drop'], anomaly='odd drop')"

    result = run(suite, body, "--seed", "5")

    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "BROKEN  area/water *reference*odd drop",
            "  Kafka promises: Water runs downhill (KIP-1).",
            "  What happened: It ran uphill.",
            "    t=1 a drop",
            "  Rerun *pytest 'checks/area/test_water.py::test_water*reference*' --target reference --seed 5",
            "  Evidence *reports/out/*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_plain_assertion_is_a_broken_promise(suite: pytest.Pytester) -> None:
    result = run(suite, "def test_water(cluster): assert 1 == 2, 'one is not two'")

    result.stdout.fnmatch_lines(["BROKEN  area/water*", "  What happened: one is not two*"])


def test_a_refusal_that_did_not_come_is_a_broken_promise(suite: pytest.Pytester) -> None:
    result = run(suite, "def test_water(cluster):\n    with pytest.raises(KeyError): pass")

    assert counts(result).startswith("0 held · 1 broken")


def test_a_value_that_is_not_the_promised_one_is_told_in_words(suite: pytest.Pytester) -> None:
    body = """
from harness.judging.outcome import require
def test_short(cluster): require(29, 30, "the lag")
def test_long(cluster): require(list(range(99)) + [7], list(range(100)), "the log")
"""

    result = run(suite, body)

    result.stdout.fnmatch_lines(["  What happened: The lag should be 30, and is 29."])
    result.stdout.fnmatch_lines(["    99: 7, where 99 should be"])


@pytest.mark.parametrize(
    "raised",
    [
        "Unproven('fog')",
        "ConnectionResetError('gone')",
        "__import__('harness.runs.context').runs.context.RunTrouble('a thread died')",
        "__import__('harness.clients.client').clients.client.ClientTrouble('no answer')",
        "KeyError('a slip in the check')",
    ],
)
def test_what_proves_nothing_is_unknown_and_fails(suite: pytest.Pytester, raised: str) -> None:
    result = run(suite, f"def test_water(cluster): raise {raised}")

    assert result.ret == 1
    assert counts(result).startswith("0 held · 0 broken · 1 unknown")


def test_a_cluster_that_does_not_come_up_is_unknown(suite: pytest.Pytester) -> None:
    result = run(suite, "def test_water(cluster): pass", "--target", "sick")

    assert result.ret == 1
    result.stdout.fnmatch_lines(["  Nothing is proved: sick does not come up"])


def test_a_difference_is_shown_as_it_was_written(suite: pytest.Pytester) -> None:
    result = run(suite, "def test_water(cluster): raise Differs(['DIFFERS  water', '  field = 1'])")

    assert result.ret == 1
    result.stdout.fnmatch_lines(["DIFFERS  water", "  field = 1"])
    assert "1 differ" in counts(result)


def test_a_missing_means_is_a_skip_with_its_reason(suite: pytest.Pytester) -> None:
    result = run(suite, "def test_water(cluster): pass", "--target", "kafka@4.3.1")

    assert result.ret == 0
    result.stdout.fnmatch_lines(["skipped *1 *Java is not there"])


def test_a_missing_means_that_is_required_fails(suite: pytest.Pytester) -> None:
    result = run(suite, "def test_water(cluster): pass", "--target", "kafka@4.3.1", "--require", "java,docker")

    assert result.ret == 1
    result.stdout.fnmatch_lines(["  Nothing is proved: *Java is not there (--require java)"])


def test_each_target_is_an_item_and_their_checks_run_together(suite: pytest.Pytester) -> None:
    body = "def test_one(cluster): pass\ndef test_two(cluster): pass"

    result = run(suite, body, "--target", "reference", "--target", "other", "-v")

    order = [line for line in result.outlines if "::test_" in line]
    assert ["[reference]" in line for line in order] == [True, True, False, False]


def test_a_target_given_twice_has_two_clusters(suite: pytest.Pytester) -> None:
    result = run(suite, "def test_water(cluster): pass", "--target", "other", "--target", "other", "-v")

    result.stdout.fnmatch_lines(["*[[]other] HELD*", "*[[]other#2] HELD*"])


def test_checks_that_want_the_same_cluster_share_it(suite: pytest.Pytester) -> None:
    body = """
numbers = []
def test_one(cluster): numbers.append(cluster.number)
@pytest.mark.cluster(config={"num.partitions": "3"})
def test_two(cluster): numbers.append(cluster.number)
def test_three(cluster):
    numbers.append(cluster.number)
    assert numbers[0] == numbers[1]
"""

    result = run(suite, body)

    assert "3 held" in counts(result)


def test_a_broker_that_ends_by_itself_breaks_a_promise(suite: pytest.Pytester) -> None:
    body = "def test_one(cluster): cluster.nodes[0].alive = False\ndef test_two(cluster): assert cluster.number == 2"

    result = run(suite, body)

    result.stdout.fnmatch_lines(["*What happened: Node 1 ended by itself*", "*the last line of the log*"])
    assert counts(result).startswith("1 held · 1 broken")


def test_a_broker_that_ended_by_itself_is_named_where_nothing_is_proved(suite: pytest.Pytester) -> None:
    body = """
from harness.hosts.host import HostTrouble
def test_one(cluster):
    cluster.nodes[0].alive = False
    raise HostTrouble("nobody answers")
"""

    result = run(suite, body)

    result.stdout.fnmatch_lines(
        ["*Nothing is proved: nobody answers", "*Meanwhile node 1 does not run; its log ends: *"]
    )


def test_every_item_is_stored_with_its_claim_and_outcome(suite: pytest.Pytester) -> None:
    body = """
@pytest.mark.claim("D1", "O2")
@pytest.mark.feature("Produce")
def test_water(cluster, record):
    with record.step("pour"):
        pass
def test_fog(cluster): pytest.skip("too foggy")
"""

    run(suite, body, "--seed", "7")

    fog, water = metas(suite)
    assert (fog["more"]["outcome"], fog["more"]["skip_reason"]) == ("skipped", "too foggy")  # type: ignore[index]
    assert (water["check"], water["claim"], water["seed"]) == ("area/water", "D1 O2", 7)
    assert (water["version"], water["verdict"], water["target"]) == ("9.9", "valid", "reference")
    more = water["more"]
    assert isinstance(more, dict)
    assert (more["sentence"], more["feature"], more["steps"]) == ("Water runs downhill.", "Produce", ["pour"])


def test_names_are_the_same_for_each_target_and_unique_in_a_check(suite: pytest.Pytester) -> None:
    body = """
seen = []
def test_water(cluster, names):
    mine = [names.topic("a"), names.topic("a"), names.group("a")]
    assert len(set(mine)) == 3
    seen.append(mine)
    assert seen[0] == mine
"""

    result = run(suite, body, "--target", "reference", "--target", "other")

    assert "2 held" in counts(result)


def test_chance_follows_the_seed(suite: pytest.Pytester) -> None:
    result = run(suite, "def test_water(cluster, chance): assert chance.random() == 1", "--seed", "3")
    again = suite.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "checks", "--seed", "3")

    found = [[line for line in each.outlines if "What happened" in line] for each in (result, again)]
    assert found[0] == found[1] != []


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--target", "nonsense"], "*harness: --target: unknown target 'nonsense'*"),
        (["--client", "smoke"], "*harness: --client: unknown client 'smoke'*known: confluent*"),
        (["--seed", "abc"], "*harness: --seed: must be a whole number, not 'abc'*"),
        (["--duration", "soon"], "*harness: --duration: must be 0.5 to 86400 (seconds), not 'soon'*"),
        (["--require", "tea"], "*harness: --require: unknown requirement 'tea'*known: java, docker, root*"),
    ],
    ids=lambda part: part[0] if isinstance(part, list) else "",
)
def test_a_wrong_option_is_one_line_and_status_4(suite: pytest.Pytester, options: list[str], complaint: str) -> None:
    result = run(suite, "def test_water(cluster): pass", *options)

    assert result.ret == 4
    result.stderr.fnmatch_lines([complaint])
    assert "Traceback" not in result.stderr.str()


def test_an_address_where_nothing_answers_is_no_skip(suite: pytest.Pytester) -> None:
    suite.makeconftest(CONFTEST.replace('startswith("kafka")', 'startswith("at:")').replace(".KAFKA", ".ADDRESS"))

    result = run(suite, "def test_water(cluster): pass", "--target", "at:127.0.0.1:1")

    assert result.ret == 4


def test_the_header_names_target_seed_and_how_to_run_it_again(suite: pytest.Pytester) -> None:
    result = run(suite, "def test_water(cluster): pass", "--seed", "11", "--target", "kafka@4.3.1")

    result.stdout.fnmatch_lines(
        [
            "target *kafka@4.3.1 *(cannot be used: *Java is not there)",
            "seed *11 *rerun with: *python* -m pytest checks --target kafka@4.3.1 --seed 11",
        ]
    )


def test_the_header_names_the_client_that_reaches_simulated_nodes(suite: pytest.Pytester) -> None:
    suite.makeconftest(CONFTEST.replace(".KAFKA", ".SIMULATED"))

    result = run(suite, "def test_water(cluster): pass", "--seed", "11", "--target", "kafka@4.3.1")

    result.stdout.fnmatch_lines(["client *raw", "*rerun with: *--target kafka@4.3.1 --seed 11"])


def test_a_check_that_judged_nothing_is_observed_and_fails_nothing(suite: pytest.Pytester) -> None:
    result = run(suite, "def test_it(record):\n    record.observed_reason = 'nothing to compare with'\n")

    assert result.ret == 0
    assert counts(result).startswith("0 held · 0 broken · 0 unknown · 0 differ · 0 known bugs · 1 observed · 0 skipped")
