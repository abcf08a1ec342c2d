"""The file of accepted differences, checked both ways."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from harness.comparing.diff import Difference
from harness.comparing.known_differences import (
    Known,
    KnownDifferencesTrouble,
    accepted_by,
    complaints,
    overdue,
    read_known,
)

ENTRY = """
[[accepted]]
check = "metadata/metadata::all_topics*"
api = "Metadata"
field = "topics[].name"
targets = ["reference*", "kafka@*"]
reason = "for a test"
source = "KIP-516"
review_by = 2030-01-31
"""
PAIR = ("reference", "kafka@4.3.1")


def written(folder: Path, text: str) -> Path:
    path = folder / "known_differences.toml"
    path.write_text(text, encoding="utf-8")
    return path


def known(folder: Path) -> tuple[Known, ...]:
    return read_known(written(folder, ENTRY))


def difference(
    check: str = "metadata/metadata::all_topics_are_listed[v1]",
    field: str = "topics[3].name",
    api: str = "Metadata",
    pair: tuple[str, str] = PAIR,
) -> Difference:
    return Difference(check=check, api=api, version=1, field=field, values=dict.fromkeys(pair, "x"), request="all")


def test_an_entry_accepts_what_it_names(tmp_path: Path) -> None:
    (entry,) = known(tmp_path)

    assert accepted_by(difference(), (entry,)) is entry


def test_targets_may_stand_in_either_order(tmp_path: Path) -> None:
    assert accepted_by(difference(pair=("kafka@4.4.0", "reference@4.3")), known(tmp_path)) is not None


@pytest.mark.parametrize(
    "other",
    [
        difference(check="metadata/metadata::no_topics[v1]"),
        difference(check="metadata/create_topics::all_topics[v1]"),
        difference(field="topics[3].error_code"),
        difference(api="DescribeCluster"),
        difference(pair=("reference", "at:somewhere")),
        difference(pair=("kafka@4.3.1", "kafka@4.4.0")),
    ],
    ids=["check", "file", "field", "api", "target", "targets"],
)
def test_an_entry_accepts_nothing_else(tmp_path: Path, other: Difference) -> None:
    assert accepted_by(other, known(tmp_path)) is None


def test_a_field_may_name_its_element() -> None:
    entry = Known(
        check="metadata/describe_configs",
        api="DescribeConfigs",
        field="results[].configs[retention.ms].*",
        targets=("reference", "kafka@*"),
        reason="for a test",
        source="departure",
        review_by=datetime.date(2030, 1, 1),
    )
    of_it, of_another = (
        difference(
            check="metadata/describe_configs::x", api="DescribeConfigs", field=f"results[0].configs[{key}].value"
        )
        for key in ("retention.ms", "flush.ms")
    )

    assert accepted_by(of_it, (entry,)) is entry
    assert accepted_by(of_another, (entry,)) is None


def test_an_entry_that_excuses_nothing_any_more_is_a_complaint(tmp_path: Path) -> None:
    (line,) = complaints(known(tmp_path), (), [("metadata/metadata::all_topics_are_listed[v1]", PAIR)])

    assert "the difference is gone" in line


def test_an_entry_that_was_used_is_no_complaint(tmp_path: Path) -> None:
    assert complaints(known(tmp_path), (1,), [("metadata/metadata::all_topics_are_listed[v1]", PAIR)]) == []


@pytest.mark.parametrize(
    "ran",
    [
        [],
        [("metadata/metadata::no_topics[v1]", PAIR)],
        [("metadata/metadata::all_topics[v1]", ("reference", "at:x"))],
    ],
    ids=["nothing", "another_check", "another_target"],
)
def test_an_entry_whose_check_did_not_run_is_no_complaint(
    tmp_path: Path, ran: list[tuple[str, tuple[str, str]]]
) -> None:
    assert complaints(known(tmp_path), (), ran) == []


def test_an_entry_past_its_date_is_overdue(tmp_path: Path) -> None:
    entries = known(tmp_path)

    assert overdue(entries, datetime.date(2030, 1, 31)) == []
    assert "2030-01-31" in overdue(entries, datetime.date(2030, 2, 1))[0]


def test_a_file_that_is_not_there_accepts_nothing(tmp_path: Path) -> None:
    assert read_known(tmp_path / "nothing.toml") == ()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (ENTRY.replace('"KIP-516"', '"because"'), "source must be KIP-n, KAFKA-n or departure"),
        (ENTRY.replace("2030-01-31", '"soon"'), "review_by must be a date"),
        (ENTRY.replace('reason = "for a test"', 'reason = " "'), "reason must be a text"),
        (ENTRY.replace('reason = "for a test"\n', ""), "lacks reason"),
        (ENTRY + 'colour = "red"\n', "does not know colour"),
        (ENTRY.replace('["reference*", "kafka@*"]', '["reference*"]'), "targets must be two"),
        (ENTRY.replace("metadata/metadata::", "metadata/*::"), "without *"),
        (ENTRY + "[other]\n", "only [[accepted]] entries"),
        ("[[accepted", "cannot be read as TOML"),
    ],
)
def test_a_file_that_is_wrong_is_one_clear_line(tmp_path: Path, wrong: str, said: str) -> None:
    path = written(tmp_path, wrong)
    with pytest.raises(KnownDifferencesTrouble) as trouble:
        read_known(path)

    assert said in str(trouble.value)
    assert str(trouble.value).startswith(str(path))
    assert "\n" not in str(trouble.value)


def test_the_projects_own_file_can_be_read(root: Path) -> None:
    assert all(entry.reason for entry in read_known(root / "checks" / "known_differences.toml"))
