"""The account of a run: what it counts, what it keeps, and what it finds missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.comparing.account import table as account_table
from harness.comparing.account.account import MOST_EXCHANGES, Account, recorded_codes, text_of
from harness.comparing.account.judging import gaps
from harness.comparing.account.unprovoked import Unprovoked, UnprovokedTrouble, read_unprovoked
from harness.comparing.observation import Observation, Plain, RequestOutcome, remark

REFUSALS = {"Metadata": [(3, "per topic")]}
RECORDED = {"Metadata": [3]}
METADATA = 3


def asked(request: str = "a topic", version: int = 9, code: int = 0, **more: Any) -> Observation:
    sent: Plain = {"topics": [{"name": "orders"}], "allow_auto_topic_creation": True}
    answer: Plain = {"topics": [{"error_code": code, "name": "orders"}]}
    return Observation(
        **{"api": "Metadata", "version": version, "request": request, "sent": sent, "answer": answer, **more}
    )


def told(*observations: Observation, listed: tuple[int, int] = (9, 9), **more: Any) -> dict[str, Any]:
    """The account of one target on which these were seen."""
    account = Account(["reference"])
    account.listed["reference"] = {METADATA: listed}
    for observation in observations:
        account.add("reference", "metadata/metadata::a_check", observation)
    given = {"refusals": REFUSALS, "recorded": RECORDED, "unprovoked": {}, "differences": [], **more}
    return json.loads(text_of(account.data("run", **given)))


def cell(account: dict[str, Any], version: int = 9) -> dict[str, Any]:
    (row,) = [row for row in account["apis"][0]["versions"] if row["version"] == version]
    found: dict[str, Any] = row["targets"]["reference"]
    return found


def test_exchanges_are_counted_by_version_and_error_code() -> None:
    found = cell(told(asked(), asked(code=3), asked(code=3), asked(version=8)))

    assert (found["exercised"], found["error_codes"]) == (3, {"0": 1, "3": 2})


def test_a_code_that_stands_twice_in_an_answer_counts_once() -> None:
    twice: Plain = {"topics": [{"error_code": 3}, {"error_code": 3}]}

    assert cell(told(asked(answer=twice)))["error_codes"] == {"3": 1}


def test_fields_that_are_not_at_their_defaults_are_told() -> None:
    account = told(asked())

    assert cell(account)["fields"] == ["topics[].name"]
    assert cell(account)["answer_fields"] == ["topics[].name"]
    assert "allow_auto_topic_creation" in account["apis"][0]["all_fields"]["9"]


def test_exchanges_of_different_kinds_are_kept_first() -> None:
    many = [asked() for _ in range(20)] + [asked("another topic"), asked(code=3)]

    kept = cell(told(*many))["exchanges"]

    assert len(kept) == MOST_EXCHANGES
    assert [one["request"] for one in kept[:3]] == ["a topic", "another topic", "a topic"]


def test_a_long_array_is_cut_and_says_so() -> None:
    answer: Plain = {"topics": [{"error_code": 0} for _ in range(40)]}

    (kept,) = cell(told(asked(answer=answer)))["exchanges"]

    assert kept["answer"]["topics"][-1] == "… and 28 more"


def test_the_exchange_of_a_difference_is_kept_whatever_else_is() -> None:
    last = asked("the last of many", answer={"topics": []})
    many = [asked(f"topic {number}") for number in range(30)]
    account = told(*many, last, differing=[("reference", "metadata/metadata::a_check", last)])

    assert cell(account)["exchanges"][0]["request"] == "the last of many"
    assert cell(account)["exchanges"][0]["differs"]


def test_what_is_no_exchange_is_not_counted() -> None:
    assert [api["api"] for api in told(remark("depth", 3))["apis"]] == ["Metadata"]


def test_a_version_that_only_closes_the_connection_is_not_served() -> None:
    assert not cell(told(asked(outcome=RequestOutcome.CLOSED, answer=None)))["served"]


def test_a_listed_version_that_nobody_asked_is_missing() -> None:
    account = told(asked(code=3), listed=(9, 10))

    assert gaps(account, ()) == ["Metadata v10: listed, and not asked on reference"]


def test_a_refusal_that_was_not_provoked_is_missing() -> None:
    assert gaps(told(asked()), ()) == ["Metadata UNKNOWN_TOPIC_OR_PARTITION (per topic): not provoked on reference"]


def test_an_excuse_lets_a_refusal_be() -> None:
    assert gaps(told(asked()), [Unprovoked(api="Metadata", code=3, reason="for a test")]) == []


def test_an_excuse_for_another_target_does_not() -> None:
    assert gaps(told(asked()), [Unprovoked(api="Metadata", code=3, reason="for a test", target="kafka@*")])


def test_an_excuse_for_what_was_provoked_is_missing() -> None:
    (line,) = gaps(told(asked(code=3)), [Unprovoked(api="Metadata", code=3, reason="for a test")])

    assert "still listed as one that cannot be" in line


def test_an_excuse_for_what_no_header_lists_is_told() -> None:
    (line,) = gaps(told(asked(code=3)), [Unprovoked(api="Metadata", code=5, reason="for a test")])

    assert "the API's header does not list it" in line


def test_a_code_that_kafka_was_not_recorded_to_answer_is_told() -> None:
    assert "Metadata REQUEST_TIMED_OUT: answered by reference, and Kafka was not recorded to answer it" in gaps(
        told(asked(code=7)), ()
    )


def test_a_code_that_only_the_header_lists_is_told() -> None:
    (line,) = gaps(told(asked(), recorded={"Metadata": []}), ())

    assert line.startswith("Metadata UNKNOWN_TOPIC_OR_PARTITION: only the reference's header lists it")


def test_a_code_that_only_the_header_lists_may_have_a_reason() -> None:
    excuse = Unprovoked(api="Metadata", code=3, reason="for a test")
    account = told(asked(), recorded={"Produce": [3]}, unprovoked={("Metadata", 3): "for a test"})

    assert gaps(account, [excuse]) == []


def test_a_code_that_kafka_answers_and_the_header_does_not_list_is_told() -> None:
    lines = gaps(told(asked(code=3), asked(code=7), recorded={"Metadata": [3, 7]}), ())

    assert lines == ["Metadata REQUEST_TIMED_OUT: Kafka answers it, and the reference's header does not list it"]


def test_without_a_recording_nothing_is_said_of_error_codes() -> None:
    assert gaps(told(asked(code=7), recorded={}), ()) == []


def test_the_codes_of_recorded_answers_are_those_of_their_api_without_none() -> None:
    assert recorded_codes([asked(code=3), asked(), asked(code=7), remark("depth", 3)]) == {"Metadata": {3, 7}}


def test_what_a_sample_left_out_is_not_missing() -> None:
    assert gaps(told(asked(), listed=(9, 10), sample=(3, 12)), ()) == []


def test_a_code_that_kafka_was_not_recorded_to_answer_is_told_of_a_sample_too() -> None:
    assert gaps(told(asked(code=7), sample=(3, 12)), ())


def test_an_excuse_for_what_a_sample_provoked_is_told() -> None:
    assert gaps(told(asked(code=3), sample=(3, 12)), [Unprovoked(api="Metadata", code=3, reason="for a test")])


@pytest.mark.parametrize(
    "text",
    [
        "[[unprovoked",
        "[[excused]]\n",
        '[[unprovoked]]\napi = "Metadata"\n',
        '[[unprovoked]]\napi = "Matadata"\ncode = "REQUEST_TIMED_OUT"\nreason = "x"\n',
        '[[unprovoked]]\napi = "Metadata"\ncode = "TIMED_OUT"\nreason = "x"\n',
        '[[unprovoked]]\napi = "Metadata"\ncode = "REQUEST_TIMED_OUT"\nreason = " "\n',
    ],
    ids=["no toml", "another table", "no code", "no such API", "no such code", "no reason"],
)
def test_a_file_of_excuses_that_is_wrong_is_told_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "unprovoked.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(UnprovokedTrouble) as caught:
        read_unprovoked(path)

    assert "\n" not in str(caught.value).strip()


def test_the_table_tells_versions_codes_and_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "account.json").write_text(json.dumps(told(asked())), encoding="utf-8")
    said: list[str] = []

    assert account_table.main([str(tmp_path), "--strict"], said.append) == 1
    assert any(line.split() == ["Metadata", "1/1", "0/1", "1", "none"] for line in said)
    assert "missing  Metadata UNKNOWN_TOPIC_OR_PARTITION (per topic): not provoked on reference" in said


def test_the_table_says_that_only_a_sample_was_run(tmp_path: Path) -> None:
    (tmp_path / "account.json").write_text(json.dumps(told(asked(), sample=(312, 1204))), encoding="utf-8")
    said: list[str] = []

    account_table.main([str(tmp_path)], said.append)

    assert "sampled 312 of 1,204 items (--sample): what was not asked is not missing" in said


def test_a_run_without_an_account_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert account_table.main([str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_damaged_account_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "account.json").write_text("{", encoding="utf-8")

    assert account_table.main([str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
