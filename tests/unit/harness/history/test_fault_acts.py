"""An act of the nemesis as a sentence."""

from __future__ import annotations

import pytest

from harness.history.operations import FaultAct


def both(*pairs: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({*pairs, *((whom, who) for who, whom in pairs)}))


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (FaultAct(kind="kill", nodes=(1, 2)), "kill nodes 1, 2"),
        (FaultAct(kind="kill", nodes=(1,), parameters={"on": "leader of t-0"}), "kill node 1 (leader of t-0)"),
        (
            FaultAct(kind="partition", links=both(("node 2", "node 1"), ("node 2", "node 3"))),
            "partition: between node 2 and nodes 1, 3",
        ),
        (
            FaultAct(kind="partition", links=(("node 1", "node 2"), ("node 1", "node 3"))),
            "partition: from nodes 2, 3 to node 1",
        ),
        (
            FaultAct(kind="partition", links=(("node 1", "clients"), ("clients", "node 1"))),
            "partition: between clients and node 1",
        ),
        (
            FaultAct(kind="partition", links=both(("node 1", "node 2"), ("node 3", "node 4"))),
            "partition: between node 1 and node 2, between node 3 and node 4",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_act_is_told_in_a_sentence(act: FaultAct, sentence: str) -> None:
    assert act.sentence == sentence
