"""Shrinks a failing sequence: removes actions, then simplifies the values in the remaining ones. Pure.

Delta debugging (Zeller and Hildebrandt, 2002), first on the actions, then on the fields of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, fields, replace
from typing import Any, Final

from harness.search.lockstep.actions import Action, Request, WrittenBatch

KEPT: Final = ("validate_only",)
"""Fields that are never simplified: without validate_only, a change of the node's own configs would take effect."""

LARGEST_HALVED: Final = 1_000
"""Numbers up to this are also halved: as counts or offsets, smaller ones need fewer actions before them."""

Fails = Callable[[Sequence[Action]], bool]
"""Whether a sequence still fails in the same way."""


def shrunk(actions: Sequence[Action], fails: Fails, tries: int = 300) -> tuple[Action, ...]:
    """The smallest sequence that still fails, found within `tries` calls of `fails`."""
    budget = _Budget(fails, tries)
    best = tuple(actions)
    while True:
        smaller = _fewer(best, budget)
        # Simplify the last action, which fails, first: often fewer actions are then needed before it.
        plainer = _plainer(smaller, budget, len(smaller) - 1)
        smaller = _plainer(smaller if plainer == smaller else _fewer(plainer, budget), budget)
        if smaller == best or budget.is_spent:
            return smaller
        best = smaller


class _Budget:
    def __init__(self, fails: Fails, tries: int) -> None:
        self._fails, self._left = fails, tries

    @property
    def is_spent(self) -> bool:
        return self._left <= 0

    def fails(self, actions: Sequence[Action]) -> bool:
        """Whether the sequence fails; False once the tries are used up."""
        self._left -= 1
        return self._left >= 0 and self._fails(actions)


def _fewer(actions: tuple[Action, ...], budget: _Budget) -> tuple[Action, ...]:
    """Removes runs of actions, longest first, from the end backwards; never the last action, which fails."""
    size = max(1, len(actions) // 2)
    while size >= 1 and not budget.is_spent:
        at = len(actions) - 1 - size
        while at > -size:
            start = max(at, 0)
            candidate = actions[:start] + actions[at + size :]
            if len(candidate) < len(actions) and candidate and budget.fails(candidate):
                actions = candidate
            at -= size
        size //= 2
    return actions


def _plainer(actions: tuple[Action, ...], budget: _Budget, since: int = 0) -> tuple[Action, ...]:
    """Simplifies values, and removes elements of arrays, one at a time, in the actions from index `since` on."""
    for index in range(len(actions) - 1, since - 1, -1):
        action = actions[index]
        if not isinstance(action, Request) or action.node:
            # Where replicas are is said by every request to a node: without that the targets would choose.
            continue
        has_changed = True
        while has_changed and not budget.is_spent:
            has_changed = False
            for message in _simplified(action.message):
                candidate = replace(action, message=message)
                changed = (*actions[:index], candidate, *actions[index + 1 :])
                if budget.fails(changed):
                    actions, action, has_changed = changed, candidate, True
                    break
    return actions


def _simplified(value: Any) -> Iterator[Any]:
    """Values that are one step simpler."""
    if isinstance(value, tuple):
        for index in range(len(value)):
            if len(value) > 1:
                yield value[:index] + value[index + 1 :]
        for index, one in enumerate(value):
            for plainer in _simplified(one):
                yield (*value[:index], plainer, *value[index + 1 :])
    elif isinstance(value, WrittenBatch):
        yield from _simplified_batch(value)
    elif hasattr(value, "FIELDS"):
        yield from _simplified_message(value)


def _simplified_message(message: Any) -> Iterator[Any]:
    own = {name: getattr(message, name) for name in message.__struct_fields__}
    for field in message.FIELDS:
        value = own[field.name]
        if value == field.default or field.is_map_key or field.name in KEPT:
            continue
        # Not these: Kafka never answers null records, and without configuration_keys the answer has all configs,
        # including machine-dependent ones, which always differ.
        if field.kind != "records" and field.name != "configuration_keys":
            yield type(message)(**{**own, field.name: field.default})
        if type(value) is int and 1 < value <= LARGEST_HALVED:
            yield type(message)(**{**own, field.name: value // 2})
        for plainer in _simplified(value):
            yield type(message)(**{**own, field.name: plainer})
    if message.unknown_tagged_fields:
        yield type(message)(**{**own, "unknown_tagged_fields": ()})


def _simplified_batch(batch: WrittenBatch) -> Iterator[WrittenBatch]:
    for values in _simplified(batch.values):
        yield replace(batch, values=values)
    for field in fields(batch):
        if field.default is not MISSING and field.name != "values" and getattr(batch, field.name) != field.default:
            yield replace(batch, **{field.name: field.default})
