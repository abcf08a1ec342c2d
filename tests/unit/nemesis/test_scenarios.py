"""What `python -m nemesis` was asked to do, and what it refuses, each in one line."""

from __future__ import annotations

import shlex

import pytest

from harness.targets.target import resolve
from nemesis.command import BAD_INPUT, listed, main
from nemesis.scenario import Scenario, parser, scenario_of

ASKED = [
    "--target",
    "kafka@4.3.1",
    "--faults",
    "partition,kill",
    "--on",
    "leader",
    "--duration",
    "60",
    "--rate",
    "500",
    "--seed",
    "7",
]


def asked(*words: str) -> Scenario:
    arguments = list(words or ASKED)
    return scenario_of(parser().parse_args(arguments), arguments)


def test_a_scenario_is_told_on_one_line() -> None:
    assert asked().sentence.split(" · ") == [
        "kafka@4.3.1, 3 nodes",
        "queue, 500 records/s for 60 s, acks=all",
        "partition isolate leader, kill leader",
        "seed 7",
    ]


def test_the_same_seed_gives_the_same_spells() -> None:
    spells = [[(str(spell.faults), spell.begin_s, spell.end_s) for spell in asked().spells()] for _ in range(2)]
    assert spells[0] == spells[1]


def test_a_scenario_can_be_asked_for_again_by_its_seed() -> None:
    first = asked("--target", "kafka@4.3.1", "--faults", "kill")
    words = shlex.split(first.rerun.partition(" -m nemesis ")[2])
    assert asked(*words).seed == first.seed


def test_the_rate_is_of_all_producers_together() -> None:
    queue = asked().queue()
    assert queue.rate * queue.producers == 500


@pytest.mark.parametrize(
    ("target", "words", "client"),
    [
        ("simulated", (), "raw"),
        ("reference", (), "confluent"),
        ("reference", ("--client", "aiokafka"), "aiokafka"),
    ],
    ids=["no sockets", "a process", "asked for"],
)
def test_the_client_suits_the_target_unless_one_is_asked_for(target: str, words: tuple[str, ...], client: str) -> None:
    scenario = asked("--target", target, "--faults", "kill", *words)

    assert scenario.suited_to(resolve(target)).client == client


def test_with_three_replicas_two_must_have_what_is_acknowledged() -> None:
    assert (asked().replicas, asked().topic_config) == (3, {"min.insync.replicas": "2"})


def test_a_run_lasts_until_its_sequence_has_ended() -> None:
    scenario = asked("--target", "kafka@4.3.1", "--sequence", "pause-kill", "--duration", "5")
    assert scenario.run_s > max(spell.end_s for spell in scenario.spells())


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("--target kafka@1", "no such release is published"),
        ("--target nowhere", "--target: unknown target 'nowhere'"),
        ("--target kafka@4.3.1 --faults kil", "unknown fault 'kil' (known: kill,"),
        ("--target kafka@4.3.1 --faults partition:thirds", "partition:thirds: unknown grudge 'thirds'"),
        ("--target kafka@4.3.1 --faults kill --on leaders", "unknown nodes 'leaders'"),
        ("--target kafka@4.3.1 --faults kill --sequence part-kill", "--faults and --sequence exclude each other"),
        ("--target kafka@4.3.1 --sequence kill-all", "unknown sequence 'kill-all'"),
        ("--target kafka@4.3.1 --sequence part-kill --nodes 1", "needs 3 nodes, and --nodes is 1"),
        ("--target kafka@4.3.1 --duration soon", "argument --duration: must be a number of seconds, not 'soon'"),
        ("--target kafka@4.3.1 --nodes 0", "argument --nodes: must be a whole number of 1 or more, not '0'"),
        ("--target kafka@4.3.1 --controllers -1", "--controllers: must be a whole number of 0 or more, not '-1'"),
        ("--target kafka@4.3.1 --quiet-share 1", "argument --quiet-share: must be a number from 0 to below 1, not '1'"),
        ("--target reference --nodes 99 --faults kill", "reference: "),
        ("--nonsense", "unrecognized arguments: --nonsense"),
    ],
)
def test_bad_input_is_refused_in_one_line(words: str, complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(words.split())
    said = capsys.readouterr()
    assert (status, said.out, said.err.count("\n")) == (BAD_INPUT, "", 1)
    assert said.err.startswith("nemesis: ")
    assert complaint in said.err


def test_the_list_shows_faults_nodes_grudges_and_sequences() -> None:
    headings = [line for line in listed() if not line.startswith(" ")]
    assert headings[:4] == ["faults", "nodes", "grudges", "between"]
    assert headings[-1] == "sequences"
    assert all(len(line.split("  ", 2)) > 2 and line.split("  ", 2)[2].strip() for line in listed() if line[0] == " ")
