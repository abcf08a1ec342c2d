"""What the compatibility matrix shows, and how it stays small."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.history.store import Item, Run, StoreTrouble
from reports import matrix_data
from reports.results import load
from tests.unit.reports import accounts

Store = Callable[..., Item]


def data(run: Run, said: dict[str, Any] | None = None) -> dict[str, Any]:
    return matrix_data.matrix_data(said or accounts.account(), load(run.path))


def named(found: dict[str, Any], api: str) -> dict[str, Any]:
    return next(one for one in found["apis"] if one["api"] == api)


def states(found: dict[str, Any], api: str) -> list[str]:
    return [cell["state"] for cell in named(found, api)["versions"][0]["cells"]]


def test_a_version_that_was_asked_and_answered_is_exercised(run: Run) -> None:
    assert states(data(run), "Produce") == ["exercised", "exercised"]


def test_a_version_that_is_listed_and_was_never_asked_is_idle(run: Run) -> None:
    assert states(data(run), "Fetch") == ["idle", "idle"]


def test_a_version_that_a_target_does_not_list_is_absent_there(run: Run) -> None:
    assert states(data(run), "AddOffsetsToTxn") == ["absent", "idle"]


def test_a_version_whose_every_request_was_refused_as_unsupported_is_refused(run: Run) -> None:
    assert states(data(run), "ApiVersions") == ["refused", "refused"]


def test_codes_count_as_provoked_when_the_header_lists_them(run: Run) -> None:
    cell = named(data(run), "Produce")["versions"][1]["cells"][0]

    assert (cell["codes"], cell["provoked"]) == ({"0": 30, "2": 4}, 1)


def test_fields_that_a_cell_saw_are_told_among_those_that_the_version_has(run: Run) -> None:
    api = named(data(run), "Produce")
    row = api["versions"][1]

    assert [api["fields"][number] for number in row["cells"][0]["fields"]] == ["acks", "topic_data[].name"]
    assert [api["fields"][number] for number in row["known"]] == ["acks", "timeout_ms", "topic_data[].name"]


def test_open_and_accepted_differences_are_counted_apart(run: Run) -> None:
    row = named(data(run), "OffsetFetch")["versions"][0]

    assert (row["open"], row["accepted"]) == (1, 1)
    assert [(cell["open"], cell["accepted"]) for cell in row["cells"]] == [(1, 1), (1, 1)]


def test_a_difference_counts_on_the_targets_that_it_names_alone(run: Run) -> None:
    said = accounts.account()
    found = next(api for api in said["apis"] if api["api"] == "OffsetFetch")["differences"][1]
    found["values"] = {"reference": "69", "recorded kafka@4.3.1": "0"}

    assert [cell["open"] for cell in named(data(run, said), "OffsetFetch")["versions"][0]["cells"]] == [1, 0]


def test_a_difference_from_two_other_targets_is_one(run: Run) -> None:
    said = accounts.account()
    found = next(api for api in said["apis"] if api["api"] == "OffsetFetch")["differences"]
    found.append({**found[1], "values": {"reference": "69 GROUP_ID_NOT_FOUND", "recorded kafka@4.3.1": "0 NONE"}})

    values = [one["values"] for one in named(data(run, said), "OffsetFetch")["differences"]]
    assert [list(one) for one in values] == [[*accounts.TARGETS], [*accounts.TARGETS, "recorded kafka@4.3.1"]]


def test_differences_in_which_a_target_says_two_things_stay_apart() -> None:
    one = {"check": "c", "version": 1, "field": "f", "exchange": "x", "accepted_by": "", "values": {"a": "1", "b": "2"}}

    assert len(matrix_data.merged([one, {**one, "values": {"a": "3", "c": "2"}}, one])) == 2


def test_exchanges_of_the_same_check_and_words_stand_side_by_side() -> None:
    one, other = accounts.exchange("x", {"a": 1}), accounts.exchange("x", {"a": 2})
    cells = {"reference": accounts.cell([one, one]), "kafka@4.3.1": accounts.cell([other])}

    pairs = matrix_data.paired(cells)

    assert [list(pair.sides) for pair in pairs] == [["reference", "kafka@4.3.1"], ["reference"]]
    assert [pair.is_equal for pair in pairs] == [False, True]


def test_equal_values_are_kept_once(run: Run) -> None:
    sides = named(data(run), "Produce")["versions"][0]["exchanges"][0]["sides"]

    assert sides[0]["answer"] == sides[1]["answer"]


def test_an_exchange_that_differs_comes_before_those_that_do_not(run: Run) -> None:
    said = accounts.account()
    row = next(api for api in said["apis"] if api["api"] == "OffsetFetch")["versions"][0]
    for target in accounts.TARGETS:
        row["targets"][target]["exchanges"].insert(0, accounts.exchange("another", {"a": 1}))

    first = named(data(run, said), "OffsetFetch")["versions"][0]["exchanges"][0]
    assert first["request"] == 'group "g-17", never seen'


def test_the_page_stays_small_by_keeping_fewer_exchanges(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [accounts.exchange(f"request {number}", {"text": str(number) * 500}) for number in range(12)]
    said = {"targets": ["reference"], "apis": [accounts.api("Produce", 0, [accounts.version(9, accounts.cell(many))])]}
    monkeypatch.setattr(matrix_data, "BUDGET", 5_000)

    found = data(run, said)

    assert len(named(found, "Produce")["versions"][0]["exchanges"]) == 6
    assert found["left_out"] == 6


def test_a_long_array_of_a_long_value_says_what_was_left_out() -> None:
    cut = matrix_data.shortened({"configs": [{"name": "x" * 400}] * 100}, 12_000)

    assert len(cut["configs"]) == matrix_data.SHORTENED_TO + 1
    assert cut["configs"][-1] == {"": "… 88 more, left out here"}


def test_a_number_that_a_script_would_round_is_kept_as_text() -> None:
    assert matrix_data.scripted({"offset": 2**63 - 1, "epoch": 3}) == {
        "offset": {"": "9223372036854775807"},
        "epoch": 3,
    }


def test_error_codes_bring_their_names(run: Run) -> None:
    assert data(run)["codes"][35] == "UNSUPPORTED_VERSION"


def test_a_check_is_run_again_by_the_command_of_its_comparison(run: Run, store: Store) -> None:
    check = "protocol/offset_fetch::unknown_group"
    store(check, "reference | kafka@4.3.1", "differs")
    store(check, "reference")

    assert data(run)["checks"][check][0].endswith("--target reference | kafka@4.3.1 --seed 20261122")


def test_an_account_of_another_form_is_told_with_its_file(run: Run) -> None:
    with pytest.raises(StoreTrouble, match=r"account\.json: not of this version"):
        data(run, {"targets": ["reference"], "apis": [{"key": 3}]})
