"""summary.json: what programs read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.history.store import Item, Run, StoreTrouble
from reports import summary

Store = Callable[..., Item]


def data(run: Run) -> dict[str, Any]:
    summary.write(run.path)
    found: dict[str, Any] = json.loads((run.path / "summary.json").read_text(encoding="utf-8"))
    return found


def test_counts_name_every_verdict(whole_run: Run) -> None:
    assert data(whole_run)["counts"] == {
        "held": 8,
        "broken": 2,
        "differs": 1,
        "unknown": 1,
        "known bug": 0,
        "observed": 0,
        "skipped": 2,
    }


def test_the_targets_are_those_asked_for_in_their_order(whole_run: Run) -> None:
    assert data(whole_run)["targets"] == ["reference", "kafka@4.3.1"]


def test_the_targets_are_those_found_when_the_run_does_not_say(run: Run, store: Store) -> None:
    (run.path / "run.json").write_text("{}", encoding="utf-8")
    store("durability/x", "kafka@4.3.1")
    store("durability/x", "reference | kafka@4.3.1")

    assert data(run)["targets"] == ["kafka@4.3.1"]


def test_a_check_carries_what_programs_need(whole_run: Run) -> None:
    broken = next(check for check in data(whole_run)["checks"] if check["anomalies"])

    wanted = {"id", "claim", "target", "verdict", "differences", "duration", "operations", "faults"}
    assert wanted <= broken.keys()
    assert (broken["claim"], broken["verdict"], broken["duration"], broken["faults"]) == ("D1", "broken", 12.25, 1)


def test_a_difference_keeps_both_values(whole_run: Run) -> None:
    differs = next(check for check in data(whole_run)["checks"] if check["verdict"] == "differs")

    assert differs["differences"][0]["values"]["reference"] == "69 GROUP_ID_NOT_FOUND"


def test_a_skipped_check_says_why(whole_run: Run) -> None:
    skipped = next(check for check in data(whole_run)["checks"] if check["verdict"] == "skipped")

    assert skipped["reason"] == "the seed document's Java example needs Java"


@pytest.mark.parametrize(("verdict", "outcome"), [("valid", "held"), ("invalid", "broken"), ("odd", "unknown")])
def test_a_result_without_an_outcome_is_told_by_its_verdict(run: Run, store: Store, verdict: str, outcome: str) -> None:
    item = store("durability/x")
    meta = item.meta()
    meta.verdict, meta.more = verdict, {}
    item.write_meta(meta)

    assert data(run)["checks"][0]["verdict"] == outcome


def test_a_damaged_result_is_unknown_and_the_others_stay(run: Run, store: Store) -> None:
    store("durability/x")
    (store("durability/y").path / "meta.json").write_text("{torn", encoding="utf-8")

    counts = data(run)["counts"]
    assert {name: number for name, number in counts.items() if number} == {"held": 1, "unknown": 1}


def test_a_check_that_never_ended_is_unknown(run: Run, store: Store) -> None:
    store("durability/x")
    run.item("durability/y", "reference").history_writer().close()

    check = next(check for check in data(run)["checks"] if check["verdict"] == "unknown")
    assert check["reason"] == "the run ended while this check was running; run it again"


def test_a_run_without_checks_counts_nothing_and_proves_nothing(run: Run) -> None:
    found = data(run)

    assert (sum(found["counts"].values()), found["verdict"]) == (0, "skipped")


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreTrouble, match="not the folder of a stored run"):
        summary.write(tmp_path)


def test_a_rebuilt_summary_is_the_same(whole_run: Run) -> None:
    assert data(whole_run) == data(whole_run)
