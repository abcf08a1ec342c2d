"""Compresses at the usual level, whatever compression.gzip.level and the others say.

**Bug** The level of a topic is never given to the codec (KIP-390).

**Rejected by**
`checks/retention/test_settings_of_appends.py::test_a_setting_counts_for_the_next_batch[compression.gzip.level-topic]`:
while it is set True is seen
"""

from __future__ import annotations

from reference_broker.log import validation


def plant() -> None:
    """Puts it in."""
    validation.level_of = lambda codec, config: None
