"""Two players in lockstep."""

from __future__ import annotations

from typing import Any, cast

import pytest

from harness.comparing.diff import Difference
from harness.comparing.observation import Pace, RequestOutcome
from harness.search.lockstep import lockstep as module
from harness.search.lockstep.actions import Request, Restart
from harness.search.lockstep.lockstep import Lockstep, Played, kind_of, level_of
from harness.search.lockstep.player import Player
from reference_broker.wire.messages.describe_groups_request import DescribeGroupsRequest
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest
from reference_broker.wire.messages.join_group_request import JoinGroupRequest
from tests.unit.harness.search.lockstep.fake_players import Answer, FakePlayer

LOOK = Request(message=DescribeGroupsRequest(), version=5)
BEAT = Request(message=HeartbeatRequest(), version=4)
JOIN = Request(message=JoinGroupRequest(), version=9, may_wait=True)


def pair(first: Answer, second: Answer) -> tuple[FakePlayer, FakePlayer]:
    return FakePlayer("one", first), FakePlayer("other", second)


def lockstep(players: tuple[FakePlayer, FakePlayer], **more: Any) -> Lockstep:
    return Lockstep(cast(tuple[Player, Player], players), **more)


def played(first: Answer, second: Answer, *actions: Any) -> Played:
    return lockstep(pair(first, second)).play(actions)


def field_of(found: Played) -> str:
    assert found.divergence is not None
    return found.divergence.differences[0].field


def code(number: int) -> Answer:
    return lambda request: {"error_code": number}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUIET_S", 0.0)


def test_the_same_answers_are_no_divergence() -> None:
    assert played(code(0), code(0), BEAT, BEAT).divergence is None


def test_another_field_is_a_divergence_at_its_action() -> None:
    counts = iter((0, 0, 0, 1))

    found = played(lambda request: {"n": 0}, lambda request: {"n": next(counts)}, BEAT, BEAT, BEAT, BEAT, BEAT)

    assert found.divergence is not None
    assert (found.divergence.at, found.divergence.differences[0].values) == (3, {"one": "0", "other": "1"})


def test_nothing_is_played_after_a_divergence() -> None:
    assert played(code(0), code(1), BEAT, BEAT).steps == 1


def test_other_bytes_of_the_same_fields_are_a_divergence() -> None:
    players = pair(code(0), code(0))
    players[1].encoding = "other bytes"

    assert field_of(lockstep(players).play([BEAT])) == "(encoding)"


def test_a_closed_connection_is_a_divergence() -> None:
    players = pair(code(0), code(0))
    players[1].outcome = RequestOutcome.CLOSED

    assert field_of(lockstep(players).play([BEAT])) == "(outcome)"


def test_another_pace_is_a_divergence() -> None:
    players = pair(code(0), code(0))
    players[1].pace = Pace.WAITED

    assert field_of(lockstep(players).play([BEAT])) == "(pace)"


def test_an_accepted_difference_is_kept_and_the_sequence_goes_on() -> None:
    found = lockstep(pair(code(0), code(1)), accepts=lambda difference: True).play([BEAT, BEAT])

    assert (found.divergence, found.steps, len(found.accepted)) == (None, 2, 2)


def test_a_request_that_waits_on_both_is_no_divergence() -> None:
    assert played(lambda request: None, lambda request: None, JOIN).divergence is None


def test_a_client_that_waits_on_both_has_no_turn() -> None:
    assert played(lambda request: None, lambda request: None, JOIN, BEAT).steps == 1


def test_a_request_that_waits_on_one_alone_is_a_divergence() -> None:
    assert field_of(played(code(0), lambda request: None, JOIN)) == "(pace)"


def states(*shown: str) -> Answer:
    left = list(shown)
    return lambda request: {"group_state": left.pop(0)}


def test_a_group_is_looked_at_again_before_its_state_differs() -> None:
    assert played(states("Empty", "Empty"), states("PreparingRebalance", "Empty"), LOOK).divergence is None


def test_a_group_of_another_state_is_a_divergence() -> None:
    assert field_of(played(states("Empty", "Empty"), states("Stable", "Stable"), LOOK)) == "group_state"


def test_what_waited_is_compared_once_it_is_there() -> None:
    there: list[Request] = []
    beat = Request(message=HeartbeatRequest(), version=4, client=1)

    def answering(number: int) -> Answer:
        def answer(request: Request) -> Any:
            if request is beat:
                there.append(request)
                return {"n": 0}
            return {"n": number} if there else None

        return answer

    assert field_of(played(answering(1), answering(2), JOIN, beat)) == "n"


@pytest.mark.parametrize("may_wait", [False, True])
def test_a_sequence_ends_where_chance_makes_another_leader(may_wait: bool) -> None:
    again = Request(message=JoinGroupRequest(), version=8, may_wait=may_wait)

    def naming(leader: str) -> Answer:
        return lambda request: {"leader": "m0" if request is JOIN else leader}

    found = played(naming("m1"), naming("m2"), JOIN, again, BEAT, BEAT)

    assert (found.divergence, found.steps, found.is_over) == (None, 2, True)


def test_a_restart_is_played_on_both() -> None:
    players = pair(code(0), code(0))
    lockstep(players).play([Restart()])

    assert (players[0].restarts, players[1].restarts) == (1, 1)


def test_each_playing_has_names_of_its_own() -> None:
    players = pair(code(0), code(0))
    steps = lockstep(players)
    steps.play([BEAT])
    steps.play([BEAT])

    assert len(set(players[0].runs)) == 2
    assert players[0].runs == players[1].runs


def difference(field: str, **values: str) -> Difference:
    return Difference(check="lockstep", api="Fetch", version=12, field=field, values=values, request="")


def test_differences_at_other_places_of_an_array_are_of_one_kind() -> None:
    assert kind_of(difference("topics[a.b].partitions[3].offset", a="1", b="2")) == "Fetch topics[].partitions[].offset"


def test_error_codes_are_part_of_the_kind() -> None:
    assert kind_of(difference("error_code", a="0", b="1")) == "Fetch error_code 0 | 1"


@pytest.mark.parametrize(
    ("field", "level"),
    [
        ("(pace)", "time class"),
        ("(encoding)", "encoding"),
        ("topics[0].error_code", "error codes"),
        ("topics[0].name", "fields"),
    ],
)
def test_a_difference_has_its_level(field: str, level: str) -> None:
    assert level_of(difference(field, a="", b="")) == level
