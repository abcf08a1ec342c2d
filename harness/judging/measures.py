"""Figures of a run beside its verdicts: how late records were, and how many nobody had read yet."""

from __future__ import annotations

from typing import Any

from harness.judging.evidence.evidence import Evidence

_SAMPLES = 200


def measures(evidence: Evidence) -> dict[str, Any]:
    """As JSON data: the worst real-time lag (O11), acknowledged records that were unseen over time, retries."""
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
    return found
