"""A mapping with earlier states."""

from __future__ import annotations

from reference_broker.state_machine.timeline import Timeline


def numbers(**values: int) -> Timeline[str, int]:
    timeline: Timeline[str, int] = Timeline()
    timeline.update(values)
    return timeline


def test_it_is_a_dict() -> None:
    timeline = numbers(b=2, a=1)
    del timeline["b"]
    timeline["c"] = 3
    assert (dict(timeline), len(timeline), "a" in timeline, timeline.get("z", 9)) == ({"a": 1, "c": 3}, 2, True, 9)


def test_its_keys_come_in_order() -> None:
    assert list(numbers(c=1, a=2, b=3)) == ["a", "b", "c"]


def test_it_goes_back_to_a_mark_and_forth_again() -> None:
    timeline = numbers(a=1)
    early = timeline.mark()
    timeline["a"] = 2
    late = timeline.mark()
    timeline.restore(early)
    before = dict(timeline)
    timeline.restore(late)
    assert (before, dict(timeline)) == ({"a": 1}, {"a": 2})
