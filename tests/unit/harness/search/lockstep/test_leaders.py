"""Another leader is a chance only once the last one has left: before that it is a difference."""

from __future__ import annotations

import pytest

from harness.comparing.observation import Observation
from harness.search.lockstep.leaders import Leaders


def joined(leader: str, group: str = "workers", api: str = "JoinGroup") -> Observation:
    return Observation(api=api, version=9, request="", sent={"group_id": group}, answer={"leader": leader})


@pytest.fixture
def leaders() -> Leaders:
    """Both targets have named m0."""
    leaders = Leaders()
    assert not leaders.differ_by_chance(joined("m0"), joined("m0"))
    return leaders


def test_two_other_leaders_are_a_chance(leaders: Leaders) -> None:
    assert leaders.differ_by_chance(joined("m1"), joined("m2"))


@pytest.mark.parametrize("named", [("m0", "m1"), ("m1", "m0")])
def test_who_stays_leads_on(leaders: Leaders, named: tuple[str, str]) -> None:
    assert not leaders.differ_by_chance(*map(joined, named))


def test_the_first_leader_is_no_chance() -> None:
    assert not Leaders().differ_by_chance(joined("m1"), joined("m2"))


def test_groups_have_leaders_of_their_own(leaders: Leaders) -> None:
    assert not leaders.differ_by_chance(joined("m1", "others"), joined("m2", "others"))


def test_no_leader_is_a_difference(leaders: Leaders) -> None:
    assert not leaders.differ_by_chance(joined("m1"), joined(""))


def test_other_answers_name_no_leaders(leaders: Leaders) -> None:
    assert not leaders.differ_by_chance(joined("m1", api="DescribeGroups"), joined("m2", api="DescribeGroups"))
