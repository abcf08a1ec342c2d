"""The table of differences: API, version, field, what each target answered, the exchange and how to run it again."""

from __future__ import annotations

from collections.abc import Sequence

from harness.judging.outcome import Outcome
from reports.markup import badge, block, command, element, folded, link, table, text
from reports.parts import Difference
from reports.results import Result, Results
from reports.words import count


def difference_rows(results: Results) -> list[tuple[Result, Difference]]:
    """Every difference of a run with the check that found it, those that nothing accepts first."""
    rows = [(result, difference) for result in results.results for difference in result.differences]
    return sorted(rows, key=lambda row: (bool(row[1].accepted_by), row[1].api, row[1].version, row[1].field))


def difference_section(results: Results) -> str:
    """The table, or why there is none."""
    rows = difference_rows(results)
    if not rows:
        if len(results.targets) < 2:
            said = "One target was checked, so nothing was compared. Give <code>--target</code> twice to compare two."
            return element("p", said)
        return element("p", "The targets gave the same answers wherever they were compared.")
    accepted = sum(bool(difference.accepted_by) for _, difference in rows)
    said = f"{count(len(rows), 'difference')}, {count(accepted)} of them accepted in checks/known_differences.toml."
    return element("p", text(said)) + difference_table(rows)


def difference_table(rows: Sequence[tuple[Result, Difference]]) -> str:
    """A row a difference, a column a target."""
    targets = list(dict.fromkeys(target for _, difference in rows for target in difference.values))
    heads = ["API and field", *targets, "standing", "exchange"]
    return table(heads, [_row(result, difference, targets) for result, difference in rows], "differences")


def _row(result: Result, difference: Difference, targets: Sequence[str]) -> list[str]:
    version = f" v{difference.version.removeprefix('v')}" if difference.version else ""
    name = element("strong", text(f"{difference.api}{version}".strip() or result.meta.check))
    place = f"{name}<br>{element('code', text(difference.field))}" if difference.field else name
    values = [element("code", text(difference.values[to])) if to in difference.values else "" for to in targets]
    if difference.accepted_by:
        standing = f"{badge(Outcome.HELD, 'accepted')}<br>{text(difference.accepted_by)}"
    else:
        standing = badge(Outcome.DIFFERS)
    rerun = difference.rerun or result.meta.rerun
    asked = block(difference.exchange.splitlines(), "exchange") if difference.exchange else ""
    see = link(f"#{result.anchor}", text(result.meta.check))
    return [place, *values, standing, see + folded("exchange and rerun", asked, command(rerun))]
