"""Actions as Python source."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.search.lockstep import replay
from harness.search.lockstep.actions import Action, Kind, Ref, Request, Restart, WrittenBatch
from harness.search.lockstep.search import WRITERS, sequence
from harness.search.lockstep.source_text import lines_of, script_of, text_of
from reference_broker.wire.api_keys import APIS
from reference_broker.wire.compression import Compression
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.primitives import TopicName

LISTED = {key: api.valid for key, api in APIS.items()}


def played_by(script: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Action, ...]:
    """What a script hands to replay."""
    kept: list[Sequence[Action]] = []
    monkeypatch.setattr(replay, "replay", lambda actions, targets: kept.append(actions))
    exec(compile(script, "script", "exec"), {})
    return tuple(kept[0])


def test_fields_at_their_defaults_are_left_out() -> None:
    message = CreateTopicsRequest(topics=(CreatableTopic(name=TopicName("orders")),))

    assert text_of(message) == "CreateTopicsRequest(topics=(CreatableTopic(name='orders'),))"


def test_a_restart_has_its_line() -> None:
    assert lines_of([Restart()]) == ["Restart()"]


def test_a_request_s_line_names_client_and_version() -> None:
    action = Request(client=2, message=CreateTopicsRequest(), version=7)

    assert lines_of([action]) == ["client 2  CreateTopicsRequest() v7"]


@pytest.mark.parametrize("writer", list(WRITERS))
@pytest.mark.parametrize("number", range(5))
def test_a_script_of_any_writer_s_actions_holds_the_same_actions(
    writer: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    actions = sequence(writer, 7, number, LISTED)

    assert played_by(script_of(actions, ["about"], ["a", "b"]), monkeypatch) == actions


@settings(max_examples=50, deadline=None)
@given(
    st.builds(
        WrittenBatch,
        values=st.lists(st.none() | st.text(), min_size=1).map(tuple),
        key=st.none() | st.text(),
        producer_id=st.integers(-1, 5) | st.builds(Ref, st.just(Kind.PRODUCER_ID), st.text()),
        compression=st.sampled_from(list(Compression)),
    )
)
def test_a_batch_s_source_makes_the_same_batch(batch: WrittenBatch) -> None:
    names: dict[str, Any] = {one.__name__: one for one in (WrittenBatch, Ref, Kind, Compression)}

    assert eval(text_of(batch), names) == batch


@settings(max_examples=30, deadline=None)
@given(st.integers(), st.sampled_from(list(WRITERS)))
def test_a_writer_writes_the_same_from_the_same_seed(seed: int, writer: str) -> None:
    first, second = (WRITERS[writer](Random(seed), LISTED) for _ in range(2))

    assert first == second
