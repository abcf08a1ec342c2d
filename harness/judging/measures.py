"""Measurements of a run, besides its verdicts: read lag, acknowledged records not read yet, retries, records lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from harness.judging.evidence.evidence import Evidence
from harness.judging.guarantees import Guarantees
from harness.judging.losses import losses

_SAMPLES = 200


def measures(evidence: Evidence, rules: Guarantees) -> dict[str, Any]:
    """The measurements as JSON data: the longest read lag (O11), the number of acknowledged records not read yet over
    time, retries, and the acknowledged records that were lost (D12), by fault.
    """
    found: dict[str, Any] = {}
    worst = max(evidence.freshness.worst.values(), key=lambda lag: lag.lag_ns, default=None)
    if worst is not None:
        found["worst_lag"] = {
            "process": worst.process,
            "partition": evidence.place(worst.where),
            "lag_s": round(worst.lag_ns / 1e9, 3),
            "at_s": round(evidence.history.operation(worst.poll).time_ns / 1e9, 3),
        }
    unseen = evidence.freshness.unseen
    step = len(unseen) // _SAMPLES + 1
    if unseen:
        chosen = [*unseen[::step], unseen[-1]]
        found["unseen"] = [[round(time_ns / 1e9, 2), count] for time_ns, count in chosen]
    if evidence.retries is not None:
        found["retries"] = evidence.retries
    lost = losses(evidence, rules) or ()
    if evidence.faults or any(each.lost for each in lost):
        found["losses"] = [{**asdict(each), "sentence": each.sentence} for each in lost]
    return found


def loss_sentences(measured: Mapping[str, Any], *, only_lost: bool = False) -> list[str]:
    """The losses in stored measurements, a sentence for each fault; with `only_lost`, only where records were lost."""
    each = measured.get("losses")
    rows = [row for row in each if isinstance(row, Mapping)] if isinstance(each, list) else []
    return [str(row.get("sentence", "")) for row in rows if row.get("lost") or not only_lost]
