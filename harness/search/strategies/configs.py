"""Strategy for configs of resources, from Kafka's tables: values within, at the limits of, and outside their range."""

from __future__ import annotations

from hypothesis import strategies as st

from harness.search.strategies.setting_values import rows, values_of


@st.composite
def settings(draw: st.DrawFn, resource_type: int) -> tuple[str, str | None]:
    """(name, value) of a config of a resource type; the value may be invalid."""
    row = draw(st.sampled_from(list(rows(resource_type).values())))
    values: st.SearchStrategy[str | None] = st.sampled_from(values_of(row))
    if row.limits is not None:
        values |= st.integers(*row.limits).map(str)
    return row.name, draw(values)
