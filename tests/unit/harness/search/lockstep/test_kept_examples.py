"""A failing example is kept outside of the clone, and is played first by the next run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from harness.judging.outcome import BrokenPromise
from harness.search.lockstep.actions import Request
from harness.search.lockstep.machine import ModelMachine, play_round
from harness.search.lockstep.modelled import Disagreement
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.describe_groups_request import DescribeGroupsRequest
from reference_broker.wire.primitives import GroupId
from tests.unit.harness.search.lockstep.fake_players import FakePlayer

LENGTHS = 5_000


class SomewhatBroken:
    """Judges like a target that answers wrongly about groups with names of some lengths."""

    def __init__(self, wrong: Collection[int]) -> None:
        self.player = FakePlayer("broken")
        self.run = "run"
        self.wrong = wrong
        self.failed_at: set[int] = set()

    def begin(self) -> None:
        """Nothing is carried over."""

    def step(self, step: Request) -> list[str]:
        """What is wrong with the answer."""
        found = {len(group) for group in step.message.groups} & set(self.wrong)
        self.failed_at |= found
        return ["groups should be none"] if found else []

    def play(self, steps: Sequence[Request]) -> Disagreement | None:
        """The first wrong answer of a sequence."""
        wrong = ((at, self.step(step)) for at, step in enumerate(steps))
        return next((Disagreement(at=at, complaints=tuple(found)) for at, found in wrong if found), None)


class Groups(ModelMachine):
    """Asks about groups with names of any length."""

    @rule(length=st.integers(0, LENGTHS))
    def describe(self, length: int) -> None:
        """One request."""
        self.ask(DescribeGroupsRequest(groups=(GroupId("g" * length),)), 5)


def play(target: SomewhatBroken, seed: str, examples: int) -> None:
    """A round on a target."""
    more = {"modelled": target, "listed": {ApiKey.DESCRIBE_GROUPS: (0, 6)}}
    play_round(type("Groups", (Groups,), more), seed, examples)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache and a clone of the test's own."""
    clone = tmp_path / "clone"
    clone.mkdir()
    monkeypatch.chdir(clone)
    monkeypatch.setenv("KAFKA_VERIFICATION_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_next_run_begins_with_what_failed(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = SomewhatBroken(range(LENGTHS // 2, LENGTHS))
    with pytest.raises(BrokenPromise):
        play(target, "a seed", 100)
    assert list((cache / "examples").iterdir())
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    with pytest.raises(BrokenPromise) as caught:
        play(SomewhatBroken(target.failed_at), "another seed", 1)
    assert "groups should be none" in str(caught.value.witness)
