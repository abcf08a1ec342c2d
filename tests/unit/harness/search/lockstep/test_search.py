"""A search: which sequences are played, what is kept of them, when it ends."""

from __future__ import annotations

from typing import Any, cast

import pytest

from harness.clients.client import ClientTrouble
from harness.comparing.diff import Difference
from harness.comparing.known_differences import KnownDifferences, read_known
from harness.search.lockstep import lockstep as module
from harness.search.lockstep.actions import Request
from harness.search.lockstep.command import COMPLETE_STEPS, gone_since
from harness.search.lockstep.lockstep import Lockstep
from harness.search.lockstep.player import Player
from harness.search.lockstep.search import WRITERS, Limits, Search, search, sequence
from reference_broker.wire.api_keys import APIS, ApiKey
from tests.unit.harness.search.lockstep.fake_players import Answer, FakePlayer

LISTED = {key: api.valid for key, api in APIS.items()}
SHORT = Limits(seconds=5.0, steps=300, shrink_tries=40)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUIET_S", 0.0)


def searched(first: Answer, second: Answer, limits: Limits = SHORT, **more: Any) -> Search:
    players = FakePlayer("one", first), FakePlayer("other", second)
    return search(Lockstep(cast(tuple[Player, Player], players)), LISTED, Search(seed=3), limits, **more)


def same(request: Request) -> Any:
    return {"error_code": 0}


def wrong_on(key: int) -> Answer:
    return lambda request: {"error_code": 3 if key == request.message.API_KEY else 0}


def test_two_alike_differ_nowhere() -> None:
    found = searched(same, same)

    assert (found.findings, found.steps >= 300) == ({}, True)


def test_what_differs_is_found_and_shrunk_to_one_action() -> None:
    found = searched(same, wrong_on(ApiKey.LIST_OFFSETS), writers=("log",))

    (finding,) = found.findings.values()
    assert [action.message.API_KEY for action in finding.actions if isinstance(action, Request)] == [2]


def test_a_kind_is_shown_once_and_counted_after() -> None:
    found = searched(same, wrong_on(ApiKey.LIST_OFFSETS), writers=("log",))

    assert next(iter(found.repeats.values())) > 1


def test_it_ends_at_the_kinds_asked_for() -> None:
    found = searched(same, wrong_on(ApiKey.LIST_OFFSETS), Limits(steps=10_000, kinds=1, shrink_tries=0))

    assert (len(found.findings), found.steps < 10_000) == (1, True)


def test_what_was_found_stays_when_a_target_goes_away() -> None:
    answer, state = wrong_on(ApiKey.LIST_OFFSETS), Search(seed=3)

    def gone_later(request: Request) -> Any:
        if state.findings:
            raise ClientTrouble("it is away")
        return answer(request)

    players = cast(tuple[Player, Player], (FakePlayer("first", same), FakePlayer("second", gone_later)))
    with pytest.raises(ClientTrouble, match="it is away"):
        search(Lockstep(players), LISTED, state, Limits(shrink_tries=0))

    assert (len(state.findings), state.playing[0] in WRITERS) == (1, True)


def test_the_writers_take_turns() -> None:
    found = searched(same, same, Limits(seconds=5.0, steps=600))

    keys = {key for key, _ in found.exercised}
    assert {"Produce", "JoinGroup", "CreatePartitions", "ListConfigResources"} <= keys


@pytest.mark.parametrize("writer", list(WRITERS))
def test_a_sequence_follows_from_seed_and_number(writer: str) -> None:
    assert sequence(writer, 1, 2, LISTED) == sequence(writer, 1, 2, LISTED)
    assert sequence(writer, 1, 2, LISTED) != sequence(writer, 1, 3, LISTED)


ENTRY = """[[accepted]]
check = "lockstep"
api = "Fetch"
field = "error_code"
targets = ["reference*", "*"]
values = ["1", "0"]
reason = "told"
source = "gap"
evidence = "none"
review_by = 2027-06-30
"""
TARGETS = ("reference", "kafka@4.3.1")
MET = Difference(
    check="lockstep", api="Fetch", version=1, field="error_code", values=dict.fromkeys(TARGETS, ""), request=""
)


@pytest.fixture
def known(tmp_path: Any) -> KnownDifferences:
    path = tmp_path / "known.toml"
    path.write_text(ENTRY, encoding="utf-8")
    return read_known(path)


def test_an_accepted_difference_that_a_complete_search_has_not_met_is_gone(known: KnownDifferences) -> None:
    (line,) = gone_since(Search(seed=1, steps=COMPLETE_STEPS), known, TARGETS, list(WRITERS))

    assert "the difference is gone" in line


def test_an_accepted_difference_that_was_met_stays(known: KnownDifferences) -> None:
    assert gone_since(Search(seed=1, steps=COMPLETE_STEPS, accepted=[MET]), known, TARGETS, list(WRITERS)) == []


def test_a_search_that_is_not_complete_says_nothing_of_accepted_differences(known: KnownDifferences) -> None:
    assert gone_since(Search(seed=1, steps=COMPLETE_STEPS - 1), known, TARGETS, list(WRITERS)) == []
    assert gone_since(Search(seed=1, steps=COMPLETE_STEPS), known, TARGETS, ["log"]) == []


def test_an_accepted_difference_of_other_targets_says_nothing(known: KnownDifferences) -> None:
    assert gone_since(Search(seed=1, steps=COMPLETE_STEPS), known, ("kafka@1", "kafka@2"), list(WRITERS)) == []
