"""The file of accepted differences, checked both ways."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from harness.comparing.diff import MISSING, Difference
from harness.comparing.known_differences import (
    Known,
    KnownDifferences,
    KnownDifferencesTrouble,
    Source,
    name_of,
    read_known,
)
from harness.targets.target import resolve
from reference_broker.wire.api_keys import ApiKey

ENTRY = """
[[accepted]]
check = "metadata/metadata::all_topics*"
api = "Metadata"
field = "topics[].name"
targets = ["reference*", "kafka@*"]
values = ["a name", "null"]
reason = "for a test"
source = "documented"
evidence = "KIP-516"
review_by = 2030-01-31
"""
GAP = """
[[gap]]
apis = ["EndTxn", "ShareFetch"]
target = "reference*"
reason = "for a test"
review_by = 2030-01-31
"""
PAIR = ("reference", "kafka@4.3.1")


def written(folder: Path, text: str) -> Path:
    path = folder / "known_differences.toml"
    path.write_text(text, encoding="utf-8")
    return path


def known(folder: Path, text: str = ENTRY) -> KnownDifferences:
    return read_known(written(folder, text))


def difference(
    check: str = "metadata/metadata::all_topics_are_listed[v1]",
    field: str = "topics[3].name",
    api: str = "Metadata",
    pair: tuple[str, str] = PAIR,
) -> Difference:
    return Difference(check=check, api=api, version=1, field=field, values=dict.fromkeys(pair, "x"), request="all")


def test_an_entry_accepts_what_it_names(tmp_path: Path) -> None:
    found = known(tmp_path)

    assert found.accepts(difference()) is found.accepted[0]


def test_targets_may_stand_in_either_order(tmp_path: Path) -> None:
    assert known(tmp_path).accepts(difference(pair=("kafka@4.4.0", "reference@4.3"))) is not None


def test_a_reference_with_a_planted_bug_has_the_differences_of_the_reference(tmp_path: Path) -> None:
    found = read_known(written(tmp_path, ENTRY), [resolve("planted@drops_keys")])

    assert found.accepts(difference(pair=("planted@drops_keys", "recorded kafka@4.3.1"))) is not None


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("reference", "reference"),
        ("reference@4.1", "reference@4.1"),
        ("planted@drops_keys", "reference"),
        ("kafka@4.3.1", "kafka@4.3.1"),
    ],
)
def test_the_file_names_the_reference_by_its_release_and_others_by_their_name(target: str, name: str) -> None:
    assert name_of(resolve(target)) == name


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
    assert known(tmp_path).accepts(other) is None


def test_a_field_may_name_its_element() -> None:
    entry = Known(
        check="metadata/describe_configs",
        api="DescribeConfigs",
        field="results[].configs[retention.ms].*",
        targets=("reference", "kafka@*"),
        values=("1", "2"),
        reason="for a test",
        source=Source.GAP,
        evidence="none",
        review_by=datetime.date(2030, 1, 1),
    )
    of_it, of_another = (
        difference(
            check="metadata/describe_configs::x", api="DescribeConfigs", field=f"results[0].configs[{key}].value"
        )
        for key in ("retention.ms", "flush.ms")
    )

    assert KnownDifferences((entry,)).accepts(of_it) is entry
    assert KnownDifferences((entry,)).accepts(of_another) is None


def test_an_entry_that_excuses_nothing_any_more_is_a_complaint(tmp_path: Path) -> None:
    (line,) = known(tmp_path).complaints((), [("metadata/metadata::all_topics_are_listed[v1]", PAIR)])

    assert "the difference is gone" in line


def test_an_entry_that_was_used_is_no_complaint(tmp_path: Path) -> None:
    assert known(tmp_path).complaints((1,), [("metadata/metadata::all_topics_are_listed[v1]", PAIR)]) == []


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
    assert known(tmp_path).complaints((), ran) == []


def test_an_entry_past_its_date_is_overdue(tmp_path: Path) -> None:
    entries = known(tmp_path)

    assert entries.overdue(datetime.date(2030, 1, 31)) == []
    assert "2030-01-31" in entries.overdue(datetime.date(2030, 2, 1))[0]


def test_a_file_that_is_not_there_accepts_nothing(tmp_path: Path) -> None:
    assert read_known(tmp_path / "nothing.toml") == KnownDifferences()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (ENTRY.replace('"documented"', '"because"'), "source must be accident, gap, documented"),
        (ENTRY.replace('evidence = "KIP-516"\n', ""), "lacks evidence"),
        (ENTRY.replace('["a name", "null"]', '["a name"]'), "values must be two strings, one for each target"),
        (ENTRY.replace("2030-01-31", '"soon"'), "review_by must be a date"),
        (ENTRY.replace('reason = "for a test"', 'reason = " "'), "reason must be a non-empty string"),
        (ENTRY.replace('reason = "for a test"\n', ""), "lacks reason"),
        (ENTRY + 'colour = "red"\n', "does not know colour"),
        (ENTRY.replace('["reference*", "kafka@*"]', '["reference*"]'), "targets must be two strings"),
        (ENTRY.replace("metadata/metadata::", "metadata/*::"), "without *"),
        (ENTRY + "[other]\n", "only [[accepted]] and [[gap]] entries"),
        ("[[accepted", "cannot be read as TOML"),
        (GAP.replace("EndTxn", "EndTx"), "unknown API 'EndTx'"),
        (GAP.replace('["EndTxn", "ShareFetch"]', '"EndTxn"'), "apis must be a list"),
        (GAP.replace('reason = "for a test"\n', ""), "must have the keys apis, reason, review_by, target"),
    ],
)
def test_a_file_that_is_wrong_is_one_clear_line(tmp_path: Path, wrong: str, said: str) -> None:
    path = written(tmp_path, wrong)
    with pytest.raises(KnownDifferencesTrouble) as trouble:
        read_known(path)

    assert said in str(trouble.value)
    assert str(trouble.value).startswith(str(path))
    assert "\n" not in str(trouble.value)


def test_a_gap_accepts_that_its_api_is_not_listed(tmp_path: Path) -> None:
    lacking = Difference(
        check="x",
        api="ApiVersions",
        version=3,
        field="api_keys[EndTxn]",
        values={"reference": repr(MISSING), "kafka@4.3.1": "{…}"},
        request="all",
    )

    assert str(known(tmp_path, GAP).accepts(lacking)) == "gap 1 (EndTxn)"


def test_a_gap_does_not_accept_that_the_other_side_lacks_the_api(tmp_path: Path) -> None:
    lacking = Difference(
        check="x",
        api="ApiVersions",
        version=3,
        field="api_keys[EndTxn]",
        values={"reference": "{…}", "kafka@4.3.1": repr(MISSING)},
        request="all",
    )

    assert known(tmp_path, GAP).accepts(lacking) is None


def test_a_gap_that_is_closed_is_a_complaint(tmp_path: Path) -> None:
    (line,) = known(tmp_path, GAP).closed({"reference": [ApiKey.END_TXN], "kafka@4.3.1": [ApiKey.SHARE_FETCH]})

    assert line == "gap 1 (EndTxn): reference lists EndTxn now; remove it from the entry"


def test_accidents_are_the_entries_of_that_source(tmp_path: Path) -> None:
    found = known(tmp_path, ENTRY + ENTRY.replace('"documented"', '"accident"\ndocuments = "nothing"'))

    assert [(entry.number, entry.said, entry.documents) for entry in found.accidents()] == [
        (2, {"reference*": "a name", "kafka@*": "null"}, "nothing")
    ]


def test_an_accident_tells_what_the_documents_say(tmp_path: Path) -> None:
    with pytest.raises(KnownDifferencesTrouble, match="entry 1 lacks documents"):
        known(tmp_path, ENTRY.replace('"documented"', '"accident"'))


def test_the_projects_own_file_can_be_read(root: Path) -> None:
    assert read_known(root / "checks" / "known_differences.toml").gaps
