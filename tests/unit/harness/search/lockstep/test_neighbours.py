"""The search between releases: a known difference does not count again, what it kept can be read."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest

from harness.comparing.diff import Difference
from harness.search.lockstep import lockstep as module
from harness.search.lockstep.actions import Request
from harness.search.lockstep.lockstep import Lockstep
from harness.search.lockstep.player import Player
from harness.search.lockstep.source_text import script_of
from harness.search.neighbours.command import settings_by_seed
from harness.search.neighbours.findings import actions_of, read_findings, table, table_of_bugs
from harness.search.neighbours.items import counts, item_of
from harness.search.neighbours.release_diff import ReleaseDiff
from harness.search.neighbours.replay import REPLAY, all_differences
from harness.search.sequences import coordinators
from harness.search.sequences.writing import fitted
from reference_broker.wire.api_keys import APIS, ApiKey
from tests.unit.harness.search.lockstep.fake_players import Answer, FakePlayer

LISTED = {key: api.valid for key, api in APIS.items()}
FOLDER = Path(__file__).resolve().parents[4] / "vectors" / "neighbours"
OPENING = tuple(
    (fitted(Request(message=APIS[key].request(), version=APIS[key].valid[1])),)
    for key in (ApiKey.LIST_GROUPS, ApiKey.DESCRIBE_CLUSTER)
)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUIET_S", 0.0)


def difference(field: str, old: str, new: str) -> Difference:
    return Difference(check="x", api="Any", version=1, field=field, values={"a": old, "b": new}, request="asked")


def lockstep_of(first: Answer, second: Answer) -> Lockstep:
    players = FakePlayer("one", first), FakePlayer("other", second)
    return Lockstep(cast(tuple[Player, Player], players))


def searched(first: Answer, second: Answer) -> ReleaseDiff:
    found = ReleaseDiff(lockstep=lockstep_of(first, second), listed=LISTED, seed=1)
    found.search(OPENING, ("log",), 0.3, lambda line: None)
    return found


def same(request: Request) -> Any:
    return {"error_code": 0}


def always_other(request: Request) -> Any:
    return {"error_code": 3}


def test_a_setting_is_one_item_whichever_answer_tells_it() -> None:
    assert item_of(difference("results[0].configs[a.b]", "(missing)", "{}")) == "setting a.b"


def test_a_message_is_one_item_whatever_numbers_and_settings_it_names() -> None:
    one = item_of(difference("responses[0].error_message", '"a.b must be 5"', '"a.b is 5"'))

    assert one == item_of(difference("responses[3].error_message", '"c.d must be 77"', '"c.d is 77"'))


def test_error_codes_tell_items_apart() -> None:
    one, other = difference("error_code", "0 NONE", "1 X"), difference("error_code", "0 NONE", "2 Y")

    assert item_of(one) != item_of(other)


def test_two_alike_have_nothing_between_them() -> None:
    assert searched(same, same).met == []


def test_a_difference_counts_once_and_the_search_goes_on_behind_it() -> None:
    found = searched(same, always_other)

    assert [met.items for met in found.met[:2]] == [
        ("ListGroups error_code 0 NONE | 3 UNKNOWN_TOPIC_OR_PARTITION",),
        ("DescribeCluster error_code 0 NONE | 3 UNKNOWN_TOPIC_OR_PARTITION",),
    ]


def test_a_difference_that_is_not_seen_again_is_not_kept() -> None:
    answers = iter([3])
    found = searched(same, lambda request: {"error_code": next(answers, 0)})

    assert found.met == []


def test_a_replay_tells_of_differences_behind_the_first() -> None:
    actions = tuple(action for (action,) in OPENING)

    assert len(all_differences(lockstep_of(same, always_other), actions)) == 2


def test_the_words_of_a_settings_documentation_are_no_difference() -> None:
    assert not counts(difference("results[0].configs[a.b].documentation", '"old"', '"new"'), known=())
    assert counts(difference("results[0].configs[a.b].value", '"old"', '"new"'), known=())


def test_settings_come_from_a_seed_and_are_the_coordinators_own() -> None:
    found = [settings_by_seed(seed) for seed in range(20)]

    assert found == [settings_by_seed(seed) for seed in range(20)]
    assert all(name.startswith(("group.", "share.", "transaction.")) for one in found for name in one)


def test_coordinators_are_written_alike_from_one_seed() -> None:
    assert coordinators.write(Random("1/2"), LISTED) == coordinators.write(Random("1/2"), LISTED)


def test_coordinators_are_asked_only_in_versions_that_are_listed() -> None:
    for number in range(40):
        for action in coordinators.write(Random(number), LISTED):
            assert isinstance(action, Request)
            low, high = LISTED[action.message.API_KEY]
            assert low <= action.version <= high


def test_a_script_is_read_without_being_played(tmp_path: Path) -> None:
    actions = tuple(action for (action,) in OPENING)
    path = tmp_path / "difference.py"
    path.write_text(script_of(actions, ["Differs."], ["a", "b"], REPLAY), encoding="utf-8")

    assert actions_of(path) == actions


def test_every_finding_has_a_script_that_can_be_read_and_items() -> None:
    for kept in read_findings(FOLDER):
        assert actions_of(FOLDER / kept.script)
        assert kept.items


def test_the_readme_shows_the_table_of_the_findings() -> None:
    assert table(read_findings(FOLDER)) in (FOLDER / "README.md").read_text(encoding="utf-8")


def test_the_readme_of_the_project_shows_the_bugs_that_were_found() -> None:
    shown = table_of_bugs(read_findings(FOLDER), newest="4.3.1")

    assert shown in (FOLDER.parents[2] / "README.md").read_text(encoding="utf-8")
    assert len(set(re.findall(r"KAFKA-\d+", shown))) >= 10


def test_a_finding_must_name_its_change(tmp_path: Path) -> None:
    entry = (
        'pair = ["1", "2"]\nscript = "x.py"\nitems = ["y"]\nwhat = "z"\nfound = "f"\nsettings = {}\nis_quick = false\n'
    )
    (tmp_path / "findings.toml").write_text(f'[[found]]\nchange = "somewhere"\n{entry}', encoding="utf-8")

    with pytest.raises(ValueError, match="names no issue"):
        read_findings(tmp_path)
