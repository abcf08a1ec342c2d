"""The rows that a run of the benchmarks prints, and the goals that they are held to."""

from __future__ import annotations

from dataclasses import dataclass, field

_NAME_WIDTH = 58


@dataclass(frozen=True, slots=True)
class Goal:
    """What a row should keep to: its own value, or the ratio reference / kafka."""

    limit: float
    is_upper: bool = True
    of_ratio: bool = False

    def __str__(self) -> str:
        return f"{'ratio ' if self.of_ratio else ''}{'≤' if self.is_upper else '≥'} {self.limit:g}"


def at_most(limit: float) -> Goal:
    """The reference's value is at most this."""
    return Goal(limit)


def at_least(limit: float) -> Goal:
    """The reference's value is at least this."""
    return Goal(limit, is_upper=False)


def ratio_at_most(limit: float) -> Goal:
    """reference / kafka is at most this."""
    return Goal(limit, of_ratio=True)


def ratio_at_least(limit: float) -> Goal:
    """reference / kafka is at least this."""
    return Goal(limit, is_upper=False, of_ratio=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured quantity. `ratio` is always reference / kafka, whichever way is better."""

    name: str
    unit: str
    reference: float | None
    kafka: float | None = None
    goal: Goal | None = None
    of: str = ""
    """The row above that it belongs to, where its name alone does not say."""

    @property
    def ratio(self) -> float | None:
        """reference / kafka; None where one of them is missing or Kafka's is zero."""
        if self.reference is None or not self.kafka:
            return None
        return self.reference / self.kafka

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is kept; None where there is none, or what it is about was not measured."""
        if self.goal is None:
            return None
        value = self.ratio if self.goal.of_ratio else self.reference
        if value is None:
            return None
        return value <= self.goal.limit if self.goal.is_upper else value >= self.goal.limit


def number(value: float | None) -> str:
    """Three significant places, thousands separated; a dash for what was not measured."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def verdict(row: Row) -> str:
    """The goal and whether it is kept, as the last column says it."""
    word = {True: "  met", False: "  MISSED", None: ""}[row.is_met]
    return "" if row.goal is None else f"{row.goal}{word}"


@dataclass(slots=True)
class Table:
    """Rows in the order they were measured, printed as they come in."""

    rows: list[Row] = field(default_factory=list)

    def heading(self, title: str) -> None:
        """Start a part."""
        print(f"\n{title:<{_NAME_WIDTH}}{'reference':>12}{'kafka':>12}{'ratio':>8}  goal", flush=True)

    def add(self, row: Row) -> None:
        """Keep and print a row."""
        self.rows.append(row)
        ratio = "–" if row.ratio is None else f"{row.ratio:.2f}"
        name = f"  {row.name} [{row.unit}]"
        line = f"{name:<{_NAME_WIDTH}}{number(row.reference):>12}{number(row.kafka):>12}{ratio:>8}  {verdict(row)}"
        print(line.rstrip(), flush=True)

    def note(self, text: str) -> None:
        """Say something about the part, such as why a column is empty."""
        print(f"  ({text})", flush=True)

    def summary(self) -> str:
        """How many goals are met, and the names of those that are not."""
        judged = [row for row in self.rows if row.is_met is not None]
        missed = [row for row in judged if not row.is_met]
        lines = [f"{len(judged) - len(missed)} of {len(judged)} goals met"]
        for row in missed:
            name = f"{row.of}, {row.name.strip()}" if row.of else row.name
            was = row.ratio if row.goal is not None and row.goal.of_ratio else row.reference
            lines.append(f"  missed: {name} [{row.unit}]: {row.goal}, was {number(was)}")
        return "\n".join(lines)
