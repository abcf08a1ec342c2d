"""The list at the top of the page: what is not as it should be, like findings once, with how many there are."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.judging.outcome import Outcome
from reports.markup import badge, element, folded, link, text
from reports.results import GRAVITY, Result, Results
from reports.words import count

_MOST = 20
"""Groups that are listed."""
_OWN_NAMES = re.compile(r"\S*\d\S*")
"""Words with a digit in them: names, offsets and times, in which like findings differ."""


def attention(results: Results) -> str:
    """What is not as it should be, worst first, each with a link, then known bugs; a sentence when all is well."""
    bad = [result for result in results.results if result.outcome.is_failure]
    known = [result for result in results.results if result.outcome is Outcome.KNOWN_BUG]
    if not bad:
        return _well(results, any_known=bool(known)) + _listing(known)
    bad.sort(key=lambda result: GRAVITY[result.outcome])
    return _listing([*bad, *known])


def _well(results: Results, *, any_known: bool) -> str:
    """A sentence for a run in which nothing fails."""
    ran = any(result.outcome is Outcome.HELD for result in results.results)
    observed = sum(result.outcome is Outcome.OBSERVED for result in results.results)
    only = f" {count(observed, 'check')} only observed: nothing judged the answers." if observed else ""
    held = "Every check that judged held." if observed else "Every check that ran held."
    if any_known:
        held = "Every other check that ran held. What is broken are known bugs of the target's release:"
    return element("p", f"{held if ran or any_known else 'No check judged, so nothing is proven.'}{only}")


def _listing(results: Sequence[Result]) -> str:
    """The first of each group of like ones, with links to the others."""
    if not results:
        return ""
    groups: dict[tuple[str, ...], list[Result]] = {}
    for result in results:
        groups.setdefault(_kind(result), []).append(result)
    items = "".join(element("li", _attention(first, others)) for first, *others in list(groups.values())[:_MOST])
    left = sum(len(group) for group in list(groups.values())[_MOST:])
    rest = element("p", f"… and {count(left, 'check')} more, below.") if left else ""
    return element("ul", items, class_="attention") + rest


def _kind(result: Result) -> tuple[str, ...]:
    """What like findings have in common: outcome, target and anomaly, or the words of what is said of them."""
    anomaly = result.anomalies[0].name if result.anomalies else _OWN_NAMES.sub("", _said(result))
    return (result.outcome.value, result.meta.target, anomaly)


def _said(result: Result) -> str:
    return result.reason or result.happened or _difference(result) or result.sentence


def _attention(result: Result, others: Sequence[Result]) -> str:
    said = _said(result)
    if said.partition(" ")[0].isalpha():  # a topic keeps its name
        said = said[:1].upper() + said[1:]
    shown = f"{badge(result.outcome)} {_linked(result)}<br>{text(said)}"
    if not others:
        return shown
    return shown + folded(f"{count(len(others), 'other check')} alike", "<br>".join(map(_linked, others)))


def _linked(result: Result) -> str:
    where = f"{result.meta.check} on {result.meta.target}" if result.meta.target else result.meta.check
    return link("#" + result.anchor, text(where))


def _difference(result: Result) -> str:
    """The first difference that nothing accepts, and how many there are."""
    open_ones = [difference for difference in result.differences if not difference.accepted_by]
    if not open_ones:
        return ""
    first = open_ones[0]
    values = ", ".join(f"{target} {value}" for target, value in first.values.items())
    more = f"; and {count(len(open_ones) - 1)} more" if len(open_ones) > 1 else ""
    return f"{first.name}: {values}{more}"
