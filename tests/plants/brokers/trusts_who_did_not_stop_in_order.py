"""Keeps a broker eligible that did not stop in order.

**Bug** What a killed broker may have lost is not thought of when the next leader is elected (KIP-966).

**Rejected by**
`checks/metadata/test_brokers_come_and_go.py::test_who_did_not_stop_in_order_is_not_eligible`:
the eligible replicas are () after a stop out of order
`python -m harness simulate`: which did not stop in order
"""

from __future__ import annotations

from reference_broker.controller.leadership import PartitionChanges


def plant() -> None:
    """Plants it."""
    PartitionChanges.without_trust = PartitionChanges.without  # type: ignore[method-assign,assignment]
