"""The comparison of two targets' observations."""

from __future__ import annotations

from typing import Any

from harness.comparing.diff import compare
from harness.comparing.observation import Observation, Pace, Plain, RequestOutcome, remark


def answered(answer: Plain, **more: Any) -> Observation:
    return Observation(**{"api": "OffsetFetch", "version": 8, "request": "a group", "answer": answer, **more})


def between(one: Observation, other: Observation) -> list[tuple[str, str, str]]:
    """(field, what the reference said, what Kafka said) of each difference."""
    found = compare("groups/offset_fetch::x", ("reference", [one]), ("kafka", [other]))
    return [(each.field, each.values["reference"], each.values["kafka"]) for each in found]


def test_equal_answers_do_not_differ() -> None:
    answer: Plain = {"groups": [{"group_id": "readers", "error_code": 0, "topics": []}]}

    assert between(answered(answer), answered(answer)) == []


def test_a_wrong_error_code_is_a_difference() -> None:
    one, other = ({"groups": [{"error_code": code}]} for code in (69, 0))

    assert between(answered(one), answered(other)) == [("groups[0].error_code", "69 GROUP_ID_NOT_FOUND", "0 NONE")]


def test_an_error_code_that_nobody_knows_is_shown_as_it_is() -> None:
    assert between(answered({"error_code": 9999}), answered({"error_code": 0})) == [
        ("error_code", "9999 (unknown code)", "0 NONE")
    ]


def test_an_element_that_only_one_side_has_is_named() -> None:
    one, other = ({"configs": [{"name": name} for name in names]} for names in (("a", "c"), ("a", "b", "c")))

    assert between(answered(one), answered(other)) == [("configs[b]", "(missing)", "{'name': 'b'}")]


def test_an_api_that_only_one_side_has_is_named() -> None:
    one, other = ({"api_keys": [{"api_key": key} for key in keys]} for keys in ((0, 3), (0, 1, 3)))

    assert [field for field, _, _ in between(answered(one), answered(other))] == ["api_keys[Fetch]"]


def test_named_elements_in_another_order_are_one_difference() -> None:
    one, other = ({"topics": [{"name": name} for name in names]} for names in ("ab", "ba"))

    assert between(answered(one), answered(other)) == [("topics.(order)", '"a, b"', '"b, a"')]


def test_an_array_that_is_longer_on_one_side_differs_at_its_end() -> None:
    assert between(answered({"ids": [1]}), answered({"ids": [1, 2]})) == [("ids[1]", "(missing)", "2")]


def test_null_and_the_empty_text_differ() -> None:
    assert between(answered({"text": None}), answered({"text": ""})) == [("text", "null", '""')]


def test_zero_and_false_differ() -> None:
    assert between(answered({"flag": 0}), answered({"flag": False})) == [("flag", "0", "False")]


def test_a_connection_that_is_closed_is_one_difference() -> None:
    closed = Observation(api="OffsetFetch", version=8, request="a group", outcome=RequestOutcome.CLOSED)

    assert between(answered({"error_code": 0}), closed) == [("(outcome)", '"answered"', '"connection closed"')]


def test_an_answer_that_waited_differs_from_one_that_did_not() -> None:
    one, other = answered({"error_code": 0}), answered({"error_code": 0}, pace=Pace.WAITED)

    assert between(one, other) == [("(pace)", '"at once"', '"waited"')]


def test_other_questions_are_not_compared() -> None:
    (found,) = compare("x", ("a", [answered({}, request="one")]), ("b", [answered({}, request="other")]))

    assert found.field == "(request)"


def test_a_remark_is_compared_by_its_value() -> None:
    (found,) = compare("x", ("a", [remark("records read", 3)]), ("b", [remark("records read", 4)]))

    assert (found.api, found.field, dict(found.values)) == ("", "records read", {"a": "3", "b": "4"})


def test_a_long_value_is_cut() -> None:
    ((_, left, _),) = between(answered({"text": "x" * 500}), answered({"text": "y"}))

    assert left.endswith("… (502 characters)")


def test_a_check_that_observed_more_on_one_target_differs() -> None:
    one, more = answered({"ids": []}), answered({"ids": []}, request="another group")

    (found,) = compare("x", ("reference", [one]), ("kafka", [one, more]))
    assert (found.field, dict(found.values)) == ("(observations)", {"reference": "1 of them", "kafka": "2 of them"})


def test_an_answer_where_the_other_gave_none_is_a_difference() -> None:
    silent = answered(None, outcome=RequestOutcome.SILENT)

    assert between(answered({"ids": []}), silent) == [("(outcome)", '"answered"', '"no answer"')]
