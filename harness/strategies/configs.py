"""Settings of topics: values within their range, at its borders, and outside of it."""

from __future__ import annotations

from hypothesis import strategies as st

from harness.model.settings import SETTINGS

ODD_VALUES = ("", " ", "many", "-9223372036854775809", "1.5", "true,false", "deleté")


@st.composite
def settings(draw: st.DrawFn) -> tuple[str, str]:
    """(name, value) of a topic's setting; the value may be one that it does not take."""
    name = draw(st.sampled_from(sorted(SETTINGS)))
    setting = SETTINGS[name]
    if setting.words:
        values = st.sampled_from(setting.words)
    else:
        low, high = setting.low, setting.high
        borders = st.sampled_from([low, low - 1, low + 1, high, high + 1, int(setting.default)])
        values = (borders | st.integers(low, high)).map(str)
    return name, draw(values | st.sampled_from(ODD_VALUES))
