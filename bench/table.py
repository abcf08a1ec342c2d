"""The rows that a run of the benchmarks prints."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured quantity. `ratio` is always reference / kafka, whichever way is better."""

    name: str
    unit: str
    reference: float | None
    kafka: float | None = None
    goal: str = ""

    @property
    def ratio(self) -> float | None:
        """reference / kafka; None where one of them is missing or Kafka's is zero."""
        if self.reference is None or not self.kafka:
            return None
        return self.reference / self.kafka


def number(value: float | None) -> str:
    """Three significant places, thousands separated; a dash for what was not measured."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


@dataclass(slots=True)
class Table:
    """Rows in the order they were measured, printed as they come in."""

    rows: list[Row] = field(default_factory=list)

    def heading(self, title: str) -> None:
        """Start a part."""
        print(f"\n{title:<58}{'reference':>12}{'kafka':>12}{'ratio':>8}  goal", flush=True)

    def add(self, row: Row) -> None:
        """Keep and print a row."""
        self.rows.append(row)
        ratio = "–" if row.ratio is None else f"{row.ratio:.2f}"
        name = f"  {row.name} [{row.unit}]"
        print(f"{name:<58}{number(row.reference):>12}{number(row.kafka):>12}{ratio:>8}  {row.goal}", flush=True)
