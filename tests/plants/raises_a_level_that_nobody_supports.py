"""Raises a feature to a level that no node supports.

**Bug** UpdateFeatures does not look at the ranges of the nodes: a level that is a slip of the pen locks every node out
at its next start.

**Rejected by**
`checks/metadata/test_update_features.py::test_a_level_that_nobody_supports_is_refused[v2-high]`: INVALID_UPDATE_VERSION
"""

from __future__ import annotations

from reference_broker.controller import features


def plant() -> None:
    """Puts it in."""
    features._unsupported_by = lambda *_: None
