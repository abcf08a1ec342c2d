"""The first screen: the guarantees as sentences, each with a verdict per target, what tried it, what it leaves open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.catalogue import claims
from harness.judging.availability import NO_FAULT
from harness.judging.outcome import Outcome
from reports.markup import badge, element, facts, folded, link, table, text
from reports.results import Result, Results, gravest
from reports.words import count, duration, title

_LINKS = 4
_SENTENCES = 30
"""Guarantees of one area that are listed one by one; where there are more, each file of checks gets one row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One guarantee and all checks that tried it."""

    area: str
    sentence: str
    results: tuple[Result, ...]
    parts: tuple[str, ...] = ()
    """The sentences that it sums up, where it stands for several."""

    @property
    def outcome(self) -> Outcome:
        """The worst of its checks'."""
        return gravest(result.outcome for result in self.results)

    @property
    def claims(self) -> tuple[str, ...]:
        """Ids of the claims, such as D1."""
        names = (name for result in self.results for name in result.meta.claim.replace(",", " ").split())
        return tuple(sorted({name for name in names if 0 < len(name) <= 4}))

    @property
    def cannot_see(self) -> str:
        """What a pass does not prove."""
        return next((said for result in self.results if (said := result.text("cannot_see"))), "")

    def on(self, target: str) -> tuple[Result, ...]:
        """The checks that tried it on a target."""
        return tuple(result for result in self.results if result.meta.target == target)

    def comparisons(self) -> tuple[Result, ...]:
        """The checks that compared targets."""
        return tuple(result for result in self.results if result.is_comparison)


def promises_of(results: Results) -> list[Promise]:
    """The guarantees of a run, area by area, the worst first."""
    promises = []
    for area in results.areas():
        of_area = [result for result in results.results if result.area == area]
        is_long = len({result.sentence for result in of_area}) > _SENTENCES
        groups: dict[str, list[Result]] = {}
        for result in of_area:
            groups.setdefault(result.file if is_long else result.sentence, []).append(result)
        found = [_promise(area, of) for of in groups.values()]
        promises += sorted(found, key=lambda promise: not promise.outcome.is_failure)
    return promises


def _promise(area: str, results: Sequence[Result]) -> Promise:
    sentences = tuple(dict.fromkeys(result.sentence for result in results))
    first = results[0]
    if len(sentences) == 1:
        return Promise(area=area, sentence=sentences[0], results=tuple(results))
    said = first.text("title") or title(first.file.rpartition("/")[2])
    return Promise(area=area, sentence=said, results=tuple(results), parts=sentences)


def promise_tables(results: Results) -> str:
    """The tables of all areas."""
    promises = promises_of(results)
    if not promises:
        return element("p", "No check is stored in this run. Run checks, for instance with <code>make check</code>.")
    compares = any(promise.comparisons() for promise in promises)
    made = []
    for area in results.areas():
        rows = [promise for promise in promises if promise.area == area]
        made.append(element("h3", text(title(area)), id=f"area-{area}"))
        made.append(_table(rows, _tried_in(rows, results.targets), compares=compares))
    return "".join(made)


def _tried_in(promises: Sequence[Promise], targets: Sequence[str]) -> list[str]:
    """The targets on which one of the guarantees was tried: a recording has a column among comparisons only."""
    return [target for target in targets if any(promise.on(target) for promise in promises)] or list(targets)


def claims_section(results: Results) -> str:
    """What the ids of claims mean that stand beside the guarantees."""
    told = claims()
    named = {name for promise in promises_of(results) for name in promise.claims}
    rows = [(name, element("span", text(told[name]), id=f"claim-{name}")) for name in told if name in named]
    return facts(rows) if rows else element("p", "The checks of this run name no claims by their ids.")


def _table(promises: Sequence[Promise], targets: Sequence[str], *, compares: bool) -> str:
    heads = ["guarantee", *targets, *(["compared"] if compares else []), "tried by"]
    rows = []
    for promise in promises:
        cells = [_cell(promise.on(target)) for target in targets]
        if compares:
            cells.append(_cell(promise.comparisons(), none="not compared"))
        rows.append([_sentence(promise), *cells, _tried(promise)])
    return table(heads, rows, "promises" if len(heads) > 3 else "promises one")


def _sentence(promise: Promise) -> str:
    told = claims()
    named = " ".join(link(f"#claim-{name}", text(name)) if name in told else text(name) for name in promise.claims)
    ids = f' <span class="soft claims">{named}</span>' if named else ""
    limits = ""
    if promise.parts:
        listed = "".join(element("li", text(part)) for part in promise.parts)
        limits += folded(
            element("span", f"{count(len(promise.parts))} guarantees", class_="soft"), element("ul", listed)
        )
    if promise.cannot_see:
        limits += folded(
            element("span", "What a pass does not prove", class_="soft"),
            element("p", text(promise.cannot_see), class_="limits"),
        )
    return text(promise.sentence) + ids + limits


def _cell(results: Sequence[Result], none: str = "not run") -> str:
    """The worst outcome first; how many where there are several, and links to those that need a look."""
    if not results:
        return element("span", none, class_="soft")
    counts = {outcome: sum(result.outcome is outcome for result in results) for outcome in Outcome}
    badges = []
    for outcome, number in counts.items():
        if number:
            said = outcome.value if len(results) == 1 else outcome.counted(number)
            first = next(result for result in results if result.outcome is outcome)
            badges.append(link(f"#{first.anchor}", badge(outcome, said)))
    bad = [result for result in results if result.outcome.is_failure or result.outcome is Outcome.KNOWN_BUG]
    more = [link(f"#{result.anchor}", text(_short(result))) for result in bad[:_LINKS]] if len(results) > 1 else []
    rest = f" and {count(len(bad) - _LINKS)} more" if len(bad) > _LINKS else ""
    return "".join(badges) + (element("div", ", ".join(more) + rest, class_="soft") if more else "")


def _short(result: Result) -> str:
    """What tells a check from the others of its guarantee: its function in a file that has several, its parameters."""
    function = result.base.partition("::")[2]
    return " ".join(filter(None, (title(function), result.parameters))) or "see"


def _tried(promise: Promise) -> str:
    ran = [result for result in promise.results if result.outcome is not Outcome.SKIPPED]
    if not ran:
        return element("span", "nothing", class_="soft")
    said = [count(len(ran), "check")]
    operations = sum(result.meta.operations for result in ran)
    observations = sum(result.observations for result in ran)
    faults = sum(result.meta.faults for result in ran)
    if operations:
        said.append(count(operations, "operation"))
    elif observations:
        said.append(count(observations, "observation"))
    said.append(count(faults, "fault") if faults else "no fault")
    gaps = [
        float(gap.get("length_s") or 0.0)
        for result in ran
        for gap in result.meta.availability
        if gap.get("fault") != NO_FAULT
    ]
    if faults and gaps:
        said.append(f"longest outage {duration(max(gaps))}")
    return "".join(element("div", text(part), class_="number") for part in said)
