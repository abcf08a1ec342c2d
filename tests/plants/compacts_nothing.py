"""Never compacts anything.

**Bug** The cleaner finds no log that needs it. The log grows for ever, and nobody sees that a value is missing.

**Rejected by**
`checks/retention/test_compacted_logs.py::test_a_consumer_that_follows_knows_the_last_values`: are still there
"""

from __future__ import annotations

from reference_broker.log.compaction.plan import Plan


def plant() -> None:
    """Puts it in."""
    Plan.is_wanted = lambda self, least_ratio: False  # type: ignore[method-assign]
